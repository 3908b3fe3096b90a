import { afterEach, expect, test, vi } from "vitest";
import { jsonAnswer } from "../../src/cli/json-answer.ts";
import type { Progress } from "../../src/cli/progress.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import type { RunEvent } from "../../src/protocol/run-event.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { hello, runId, says, sessionId } from "../support/followed-run.ts";

afterEach(() => void vi.useRealTimers());

const never = new AbortController().signal;
const progress = { stopSpinner: () => {} } as Progress;
const ended = { reason: "end_turn", failure: null } as const;
const facts = { cwd: "/work", runId, sessionId, prompt: "hi", configSources: ["c.json"] };

function paper(before: Promise<unknown> = Promise.resolve()) {
  const lines: string[] = [];
  const write = async (text: string): Promise<void> => {
    await before;
    lines.push(text);
  };
  return { stdout: { isTty: false, write }, lines };
}

const read = (lines: readonly string[]): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

const started: RunEvent = { type: "run.started", runId, sessionId, model: "fake/one" };
const queued: RunEvent = { type: "run.queued", runId, sessionId, ahead: 2 };

test("json: nothing before the end, then one document", async () => {
  const { stdout, lines } = paper();
  const answer = jsonAnswer("json", stdout, never);
  answer.know({ ...facts, record: hello });
  for (const event of [started, queued, says("Hello")])
    expect(answer.tell(event, progress)).toBeUndefined();
  await answer.print("Hello\n", progress);
  expect(lines).toEqual([]);
  expect(await answer.end(ended, 0)).toBeNull();
  expect(read(lines)).toMatchObject([{ type: "run.result", text: "Hello", run_id: "run" }]);
  expect(read(lines)[0]).not.toHaveProperty("seq");
});

test("stream-json: the start comes first, with the model that the server names; the result is last", async () => {
  const { stdout, lines } = paper();
  const answer = jsonAnswer("stream-json", stdout, never);
  answer.know({ ...facts, warnings: ["a hook is not carried out"], record: hello });
  for (const event of [started, says("Hello")]) await answer.tell(event, progress);
  await answer.end(ended, 0);
  const [first, ...rest] = read(lines);
  expect(first).toMatchObject({
    schema_version: 1,
    seq: 1,
    type: "run.started",
    run_id: "run",
    session_id: "s",
    model: "fake/one",
    cwd: "/work",
    prompt: "hi",
    config_sources: ["c.json"],
  });
  expect(rest).toMatchObject([
    { seq: 2, type: "warning", code: "configuration", message: "a hook is not carried out" },
    { seq: 3, type: "text.delta", text: "Hello" },
    { seq: 4, type: "run.result", text: "Hello" },
  ]);
});

test("stream-json: a run that waits, or ends before it has a model, starts without one", async () => {
  const { stdout, lines } = paper();
  const waiting = jsonAnswer("stream-json", stdout, never);
  waiting.know(facts);
  for (const event of [queued, started]) await waiting.tell(event, progress);
  await waiting.end(ended, 0);
  expect(read(lines)).toMatchObject([
    { seq: 1, type: "run.started", model: null },
    { seq: 2, type: "run.queued", ahead: 2 },
    { seq: 3, type: "run.result" },
  ]);

  const refused = paper();
  const early = jsonAnswer("stream-json", refused.stdout, never);
  early.know(facts);
  await early.end({ reason: "unknown_model", failure: null }, 2);
  expect(read(refused.lines)).toMatchObject([
    { seq: 1, type: "run.started", model: null, prompt: "hi" },
    { seq: 2, type: "run.result", reason: "unknown_model" },
  ]);
});

test("stream-json: a run that never came to be has its result alone", async () => {
  const { stdout, lines } = paper();
  await jsonAnswer("stream-json", stdout, never).end({ reason: "usage", failure: null }, 2);
  expect(read(lines)).toMatchObject([{ seq: 1, type: "run.result", run_id: null, exit_code: 2 }]);
});

test("stream-json: who tells waits for a slow reader, and the lines keep their order", async () => {
  const slow = deferred();
  const { stdout, lines } = paper(slow.promise);
  const answer = jsonAnswer("stream-json", stdout, never);
  answer.know(facts);
  let isTold = false;
  const told = answer.tell(started, progress)?.then(() => (isTold = true));
  void answer.tell(says("a"), progress);
  const end = answer.end(ended, 0);
  await Promise.resolve();
  expect([isTold, lines]).toEqual([false, []]);
  slow.resolve();
  await Promise.all([told, end]);
  expect(isTold).toBe(true);
  expect(read(lines).map(({ seq, type }) => [seq, type])).toEqual([
    [1, "run.started"],
    [2, "text.delta"],
    [3, "run.result"],
  ]);
});

test("a reader that does not read the result is waited for as long as a cancelled run may take", async () => {
  vi.useFakeTimers();
  const cancel = new AbortController();
  const answer = jsonAnswer("json", paper(new Promise(() => {})).stdout, cancel.signal);
  answer.know({ killAfterMs: 5_000 });
  const settled = vi.fn<(why: RunAborted | null) => void>();
  const end = answer.end(ended, 0).then(settled);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(settled).not.toHaveBeenCalled();
  const why = new RunAborted("timeout");
  cancel.abort(why);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_100);
  await end;
  expect(settled).toHaveBeenCalledExactlyOnceWith(why);
});

test("of a run that was cancelled long ago a reader has a moment for the result, and no more", async () => {
  vi.useFakeTimers();
  const cancel = new AbortController();
  cancel.abort(new RunAborted("signal"));
  const answer = jsonAnswer("json", paper(new Promise(() => {})).stdout, cancel.signal);
  answer.know({ killAfterMs: 0 });
  const end = answer.end({ reason: "signal", failure: null }, 130);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await end).toMatchObject({ reason: "signal" });
});
