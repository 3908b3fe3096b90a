import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { showProgress, type Progress, type ProgressOptions } from "../../src/cli/progress.ts";
import type { RunEvent } from "../../src/protocol/run-event.ts";
import { runId, sessionId } from "../support/followed-run.ts";

beforeEach(() => {
  vi.useFakeTimers();
  for (const name of ["CI", "TERM", "NO_COLOR", "FORCE_COLOR"]) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** Standard error that is written down. */
function paper(size?: { readonly columns: number }) {
  const written: string[] = [];
  const stream = Object.assign(new EventEmitter(), {
    isTTY: size !== undefined,
    columns: size?.columns,
    write: (text: string) => {
      written.push(text);
      return true;
    },
  });
  return { stream: stream as unknown as NodeJS.WriteStream, written };
}

function show(stream: NodeJS.WriteStream, options: Partial<ProgressOptions> = {}): Progress {
  const begin = Date.now();
  return showProgress(
    { quiet: false, verbose: false, mode: "auto", ...options },
    stream,
    () => Date.now() - begin,
  );
}

const own = (event: object): RunEvent => ({ ...event, runId, sessionId }) as RunEvent;
const runs = own({ type: "tool.started", callId: "c", name: "bash", input: "{}" });

test("a log gets a line every 30 seconds that says what goes on, and none after the end", async () => {
  const { stream, written } = paper();
  const progress = show(stream);
  await vi.advanceTimersByTimeAsync(10_000);
  progress.tell(runs);
  await vi.advanceTimersByTimeAsync(55_000);
  expect(written).toEqual([
    "running bash for 20s; 30s in all, 0 tokens so far\n",
    "running bash for 50s; 1m00s in all, 0 tokens so far\n",
  ]);
  progress[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(written).toHaveLength(2);
});

test("--progress=plain says so within half a second, on a terminal too, and no terminal is drawn on", async () => {
  const { stream, written } = paper({ columns: 80 });
  using _progress = show(stream, { mode: "plain" });
  await vi.advanceTimersByTimeAsync(500);
  expect(written).toEqual(["waiting for the model for 0s; 0s in all, 0 tokens so far\n"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(written).toHaveLength(3);
});

test.each([
  ["--progress=none", { mode: "none" }],
  ["--quiet", { quiet: true }],
] as const)("with %s there is no sign of life", async (_, options) => {
  for (const size of [undefined, { columns: 80 }]) {
    const { stream, written } = paper(size);
    using progress = show(stream, options);
    progress.tell(runs);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(written).toEqual([]);
  }
});

test.each([
  ["TERM", "dumb"],
  ["CI", "true"],
])("a terminal with %s=%s is written to as a log is", async (name, value) => {
  vi.stubEnv(name, value);
  const { stream, written } = paper({ columns: 80 });
  using _progress = show(stream);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(written).toHaveLength(1);
});
