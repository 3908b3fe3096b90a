import { spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type GroupCommand, type GroupEnd, runInGroup } from "../../src/tools/process-group.ts";
import { sweepRun } from "../../src/tools/process-sweep.ts";
import { living } from "../support/living.ts";
import { tempDirectory } from "../support/tool-context.ts";

let marks = 0;
/** A number of seconds that no other process sleeps for: how a test finds its own again. */
const mark = (): string => `100${process.pid}.${(marks += 1)}`;

const shell = (script: string, more: Partial<GroupCommand> = {}): GroupCommand => ({
  file: "bash",
  args: ["-c", script],
  cwd: "/",
  env: { PATH: process.env["PATH"] ?? "", CRUSH_RUN_ID: "run-1" },
  timeLimitMs: 10_000,
  keepHead: 1000,
  keepTail: 1000,
  onProgress: () => {},
  signal: new AbortController().signal,
  ...more,
});

type Ended = Extract<GroupEnd, { type: "ended" }>;

async function endOf(command: GroupCommand): Promise<Ended> {
  const end = await runInGroup(command);
  if (end.type !== "ended") throw new Error(end.message);
  return end;
}

async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now();
  return { value: await work, ms: performance.now() - started };
}

/** Aborts as soon as the command has said that it is ready. */
function abortWhenReady(): { controller: AbortController; onProgress: () => void } {
  const controller = new AbortController();
  return { controller, onProgress: () => controller.abort(new Error("enough of it")) };
}

test("both streams and the exit code come back, stdin is closed, the group is its own", async () => {
  const bytes: number[] = [];
  const end = await endOf(
    shell('cat; echo out; echo err >&2; test "$(ps -o pgid= $$)" -eq $$ && exit 3', {
      onProgress: (count) => bytes.push(count),
    }),
  );
  expect(end).toMatchObject({
    type: "ended",
    exitCode: 3,
    endedBy: null,
    stopped: null,
    leftBehind: 0,
  });
  expect(end.stdout.text(() => "").text).toBe("out\n");
  expect(end.stderr.text(() => "").text).toBe("err\n");
  expect(bytes.at(-1)).toBe(8);
});

test("a command that a signal ended says so, and one that cannot start says why", async () => {
  expect(await runInGroup(shell("kill -SEGV $$"))).toMatchObject({
    exitCode: null,
    endedBy: "SIGSEGV",
  });
  expect(await runInGroup(shell("", { file: "no-such-program" }))).toEqual({
    type: "not_started",
    message: "spawn no-such-program ENOENT",
  });
  expect(await runInGroup(shell("#".repeat(200_000)))).toMatchObject({
    type: "not_started",
    message: expect.stringContaining("E2BIG") as string,
  });
});

test("a background job that holds the pipe neither delays the end nor survives it", async () => {
  const time = mark();
  const { value, ms } = await timed(runInGroup(shell(`sleep ${time} & echo started`)));
  expect(value).toMatchObject({ exitCode: 0, leftBehind: 1 });
  expect(ms).toBeLessThan(1500);
  expect(living(time)).toEqual([]);
});

test.each([
  ["setsid", (time: string) => `setsid sleep ${time} >/dev/null 2>&1 & sleep 0.1`],
  [
    "a double fork",
    (time: string) => `( ( setsid nohup sleep ${time} & ) & ) >/dev/null 2>&1; sleep 0.1`,
  ],
  [
    "ignoring TERM",
    (time: string) => `(trap '' TERM; setsid sleep ${time}; setsid sleep ${time}) & sleep 0.1`,
  ],
])("a process that hid by %s is ended with its call", async (_, script) => {
  const time = mark();
  const end = await endOf(shell(script(time)));
  expect(end).toMatchObject({ exitCode: 0 });
  expect(end.leftBehind).toBeGreaterThan(0);
  expect(living(time)).toEqual([]);
});

test("what another call of the same run has started is left alone", async () => {
  const time = mark();
  const { controller, onProgress } = abortWhenReady();
  let first = false;
  const other = runInGroup(
    shell(`setsid sleep ${time} & echo; wait`, {
      onProgress: () => {
        first = true;
      },
      signal: controller.signal,
    }),
  ).catch(() => "aborted");
  await expect.poll(() => first && living(`sleep ${time}`).length > 0).toBe(true);
  await runInGroup(shell("true"));
  expect(living(`sleep ${time}`)).not.toEqual([]);
  onProgress();
  expect(await other).toBe("aborted");
  expect(living(time)).toEqual([]);
});

test("an abort ends the whole tree at once and rejects with its reason", async () => {
  const time = mark();
  const { controller, onProgress } = abortWhenReady();
  // Without our mark in its environment and in a session of its own, it can only be found by its parent.
  const script = `setsid sleep ${time} & env -i "$(command -v setsid)" sleep ${time} & sleep 0.1; echo; sleep ${time}`;
  const { value, ms } = await timed(
    runInGroup(shell(script, { onProgress, signal: controller.signal })).catch(
      (error: unknown) => error,
    ),
  );
  expect(value).toBe(controller.signal.reason);
  expect(ms).toBeLessThan(900);
  expect(living(time)).toEqual([]);
});

test("a process that ignores TERM is killed a second later", async () => {
  const time = mark();
  const { controller, onProgress } = abortWhenReady();
  const script = `trap '' TERM; echo; while :; do sleep ${time}; done`;
  const { ms } = await timed(
    runInGroup(shell(script, { onProgress, signal: controller.signal })).catch(() => {}),
  );
  expect(ms).toBeGreaterThan(900);
  expect(ms).toBeLessThan(2000);
  expect(living(time)).toEqual([]);
});

test("an aborted signal starts nothing", async () => {
  using temp = tempDirectory();
  const file = join(temp.path, "made");
  const signal = AbortSignal.abort(new Error("no"));
  await expect(runInGroup(shell(`touch ${file}`, { signal }))).rejects.toThrow("no");
  expect(() => writeFileSync(file, "", { flag: "wx" })).not.toThrow();
});

test("the time limit ends the command and keeps what it wrote", async () => {
  const time = mark();
  const end = await endOf(shell(`echo before; sleep ${time}`, { timeLimitMs: 150 }));
  expect(end).toMatchObject({ type: "ended", stopped: "time_limit" });
  expect(end.stdout.text(() => "").text).toBe("before\n");
  expect(living(time)).toEqual([]);
});

test("endless output is kept within its bounds and stopped when there is enough", async () => {
  const end = await endOf(shell("yes", { enoughBytes: 5_000_000 }));
  expect(end).toMatchObject({ type: "ended", stopped: "enough" });
  expect(end.stdout.total).toBeGreaterThanOrEqual(5_000_000);
  expect(end.stdout.text(() => "cut").text.length).toBe(2005);
});

test("no listener stays on a signal that outlives the command", async () => {
  const { signal } = new AbortController();
  await runInGroup(shell("true", { signal }));
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("a sweep ends what a run has started, and nothing of a run whose id merely begins alike", async () => {
  const [ours, theirs] = [mark(), mark()];
  const start = (time: string, runId: string): Promise<unknown> => {
    const child = spawn("setsid", ["sleep", time], {
      env: { ...process.env, CRUSH_RUN_MARK: runId },
      stdio: "ignore",
    });
    return once(child, "spawn");
  };
  await start(ours, "sweep-me");
  await start(theirs, "sweep-me-not");
  const { signal } = new AbortController();
  expect(await sweepRun("sweep-me", signal)).toBe(1);
  expect(living(ours)).toEqual([]);
  expect(living(theirs)).toHaveLength(1);
  expect(await sweepRun("sweep-me-not", signal)).toBe(1);
});

test("an aborted sweep does not wait for the grace to pass", async () => {
  const time = mark();
  const child = spawn("bash", ["-c", `trap '' TERM; echo; while :; do sleep ${time}; done`], {
    env: { ...process.env, CRUSH_RUN_MARK: "stubborn" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  const { ms } = await timed(sweepRun("stubborn", AbortSignal.abort()));
  expect(ms).toBeLessThan(500);
  expect(living(time)).toEqual([]);
});

test("a sweep that finds nothing takes a few milliseconds", async () => {
  const { signal } = new AbortController();
  await sweepRun("warm-up", signal);
  const times: number[] = [];
  for (let at = 0; at < 5; at += 1) times.push((await timed(sweepRun("nobody", signal))).ms);
  expect(Math.min(...times)).toBeLessThan(30);
});

test("a command in a directory that is gone says so", async () => {
  using temp = tempDirectory();
  const cwd = join(temp.path, "gone");
  const end = await runInGroup(shell("true", { cwd }));
  expect(end).toEqual({ type: "not_started", message: `the working directory ${cwd} is gone` });
});
