import { spawn, execFileSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants as flags, openSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CRUSH, crushPlace, type CrushPlace, type RunningCrush } from "../support/crush.ts";
import { errorLines, runIdOf, shown } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { living, livingOfRun } from "../support/living.ts";
import { modelServer } from "../support/model-server.ts";

/** Says `one `, and nothing more. */
const HANGS: FakeStep = { text: "one two three", chunks: 3, silenceAfter: 1 };
const SAID = "one t";

let marks = 0;
/** A number of seconds that no other process sleeps for: how a test finds its own again. */
const mark = (): string => `3000${process.pid}.${(marks += 1)}`;

const bash = (command: string): FakeStep => ({
  text: "I shall look.",
  toolCalls: [{ id: "call_1", name: "bash", input: { command } }],
});

const CANCELLED = { status: "cancelled", reason: "signal", state: "settled" };
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function allLive(time: string, count: number): Promise<void> {
  await expect.poll(() => living(time).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
}

async function goneSoon(find: () => number[]): Promise<void> {
  await expect.poll(find, { timeout: 3_000 }).toEqual([]);
}

/** Resolves when the process listens to the signals of a run. (SIGINT and SIGTERM have handlers in every Node.) */
async function listening(pid: number): Promise<void> {
  const bit = 1n << BigInt(constants.signals.SIGQUIT - 1);
  const caught = (): boolean => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return (BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)?.[1] ?? "0"}`) & bit) !== 0n;
  };
  await expect.poll(caught, { timeout: 10_000 }).toBe(true);
}

/** The death that a signal asks for, with one line that says so. */
async function diesOf(
  run: RunningCrush,
  signal: NodeJS.Signals,
  withinMs: number,
): Promise<{ readonly runId: string | null; readonly stdout: string }> {
  const sent = performance.now();
  run.child.kill(signal);
  const ended = await run.ended;
  expect([ended.status, ended.signal]).toEqual([null, signal]);
  expect(performance.now() - sent).toBeLessThan(withinMs);
  expect(errorLines(ended)).toEqual([
    "error: the run was cancelled by a signal (signal); run it again, or go on with --continue",
  ]);
  const hasId = /^run \S+ in session /m.test(ended.stderr.toString());
  return { runId: hasId ? runIdOf(ended.stderr) : null, stdout: ended.stdout.toString() };
}

test.each(SIGNALS)("%s in mid-answer ends the run by it, recorded as cancelled", async (signal) => {
  await using provider = await startFakeProvider(HANGS);
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "--stream", "hi"]);
  await run.waitForStdout(SAID);
  const { runId, stdout } = await diesOf(run, signal, 1_500);
  expect(stdout).toBe(`${SAID}\n`);
  expect(await shown(place, runId ?? "")).toMatchObject(CANCELLED);
  await expect.poll(() => provider.requests[0]?.clientLeft).toBe(true);
});

test.each(SIGNALS)(
  "%s in mid-tool ends the run by it, and all that the tool started",
  async (signal) => {
    const time = mark();
    await using provider = await startFakeProvider(
      bash(`sleep ${time} & setsid sleep ${time} & (setsid sh -c "sleep ${time}; true" &) ; wait`),
    );
    await using place = crushPlace({ provider });
    const run = place.spawn(["run", "-v", "hi"]);
    await allLive(time, 5); // bash, three sleeps and a sh
    const { runId } = await diesOf(run, signal, 3_000);
    await goneSoon(() => [...living(time), ...livingOfRun(runId ?? "")]);
    expect(await shown(place, runId ?? "")).toMatchObject(CANCELLED);
  },
);

test("a tool that ignores the signal is killed a second later, and the run ends as it should", async () => {
  const time = mark();
  await using provider = await startFakeProvider(
    bash(`trap "" TERM INT; while :; do sleep ${time}; done`),
  );
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "hi"]);
  await allLive(time, 2);
  const { runId } = await diesOf(run, "SIGINT", 4_000);
  await goneSoon(() => [...living(time), ...livingOfRun(runId ?? "")]);
  expect(await shown(place, runId ?? "")).toMatchObject(CANCELLED);
});

test("SIGQUIT ends the run like the others, but with status 131 and without a core file", async () => {
  await using provider = await startFakeProvider(HANGS);
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "--stream", "hi"]);
  await run.waitForStdout(SAID);
  run.child.kill("SIGQUIT");
  const ended = await run.ended;
  expect([ended.status, ended.signal, ended.stdout.toString()]).toEqual([131, null, `${SAID}\n`]);
  expect(errorLines(ended)).toHaveLength(1);
  expect(readdirSync(place.work).filter((name) => name.startsWith("core"))).toEqual([]);
  expect(await shown(place, runIdOf(ended.stderr))).toMatchObject(CANCELLED);
});

test("a second signal ends the process at once; the next look at the run says so and cleans up after it", async () => {
  const time = mark();
  await using provider = await startFakeProvider(
    bash(`trap : TERM; while :; do setsid sleep ${time}; done`),
  );
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "hi"]);
  await allLive(time, 2);
  const runId = runIdOf(run.stderr());
  const before = living(time);
  run.child.kill("SIGTERM");
  // The first one is being heeded when the sleep is another one; the shell has a second left to ignore it.
  await expect.poll(() => before.every((pid) => living(time).includes(pid))).toBe(false);
  const second = performance.now();
  run.child.kill("SIGINT");
  const ended = await run.ended;
  expect([ended.status, ended.signal]).toEqual([null, "SIGINT"]);
  expect(performance.now() - second).toBeLessThan(600);
  expect(await shown(place, runId)).toMatchObject({ status: "failed", reason: "interrupted" });
  await goneSoon(() => [...living(time), ...livingOfRun(runId)]);
});

test("SIGTERM while standard input is waited for ends the command, and no run was made", async () => {
  await using provider = await startFakeProvider(HANGS);
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "hi"], { stdin: "pipe" });
  await listening(run.pid);
  const { runId, stdout } = await diesOf(run, "SIGTERM", 1_000);
  expect([runId, stdout, provider.requests.length]).toEqual([null, "", 0]);
});

test("SIGTERM while the models are looked up ends the run before it began", async () => {
  await using server = await modelServer(null);
  const slow = {
    type: "openai-compat",
    base_url: server.url,
    api_key: "key",
    discover_models: true,
  };
  await using place = crushPlace({ configuration: { providers: { slow } } });
  const run = place.spawn(["run", "-m", "slow/any", "hi"]);
  await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBe(1);
  const { stdout } = await diesOf(run, "SIGTERM", 1_500);
  expect(stdout).toBe("");
});

test("SIGTERM while the provider never answers ends the run", async () => {
  await using provider = await startFakeProvider({ neverHeaders: true });
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "hi"]);
  await provider.waitForRequest(1);
  const { runId, stdout } = await diesOf(run, "SIGTERM", 1_500);
  expect(stdout).toBe("");
  expect(await shown(place, runId ?? "")).toMatchObject(CANCELLED);
});

test("SIGTERM while the run waits for another try ends it without one", async () => {
  await using provider = await startFakeProvider({ status: 503, headers: { "retry-after": "30" } });
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "hi"]);
  await run.waitForStderr("retry 1/");
  const { runId } = await diesOf(run, "SIGTERM", 1_500);
  expect(await shown(place, runId ?? "")).toMatchObject(CANCELLED);
  expect(provider.requests).toHaveLength(1);
});

test("SIGTERM and --timeout end a run whose reader has stopped reading", async () => {
  await using provider = await startFakeProvider({ text: "x".repeat(1_000_000), write: "64k" });
  await using place = crushPlace({ provider });
  const fifo = join(place.home, "fifo");
  execFileSync("mkfifo", [fifo]);
  // Open for reading as well, so that the writer neither waits for a reader nor loses it.
  const stuck = openSync(fifo, flags.O_RDWR | flags.O_NONBLOCK);
  try {
    const bounded = ["run", "-v", "--stream", "--kill-after", "100ms"];
    const run = place.spawn([...bounded, "hi"], { stdout: stuck });
    await provider.waitForRequest(1);
    await expect.poll(() => provider.requests[0]?.lastByteAt).toBeDefined();
    const { runId } = await diesOf(run, "SIGTERM", 4_000);
    expect(await shown(place, runId ?? "")).toMatchObject({ state: "settled" });

    const late = await place.run([...bounded, "--timeout", "500ms", "hi"], { stdout: stuck });
    expect([late.status, errorLines(late)]).toEqual([
      124,
      [expect.stringContaining("(timeout)") as string],
    ]);
    // timeout + kill-after + the second that our own server is given, and a start of the process
    expect(late.wallMs).toBeLessThan(3_000);
  } finally {
    closeSync(stuck);
  }
});

test("as the first process of a container it ends with 128 + n, whatever the kernel lets pass", async () => {
  await using provider = await startFakeProvider(HANGS);
  await using place = crushPlace({ provider });
  for (const [signal, status] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    const { outer, stdout } = inNamespace(place, ["run", "--stream", "hi"]);
    try {
      await expect.poll(stdout, { timeout: 10_000 }).toContain(SAID);
      const [inner] = childrenOf(outer.pid ?? 0);
      process.kill(inner ?? 0, signal);
      expect(await once(outer, "exit")).toEqual([status, null]);
    } finally {
      outer.kill("SIGKILL");
    }
  }
});

/** `crush` as PID 1 of a namespace of its own; it dies with `unshare`, should that be killed. */
function inNamespace(
  place: CrushPlace,
  args: readonly string[],
): { readonly outer: ChildProcess; readonly stdout: () => string } {
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const options = [...user, "--pid", "--fork", "--mount-proc", "--kill-child"];
  const outer = spawn("unshare", [...options, process.execPath, CRUSH, ...args], {
    cwd: place.work,
    env: place.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  // What `unshare` says when this machine forbids namespaces is part of the failure.
  for (const stream of [outer.stdout, outer.stderr])
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  return { outer, stdout: () => text };
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);

test("what is thrown where nobody can catch it ends the run as internal, recorded, and all that it started", async () => {
  const time = mark();
  await using provider = await startFakeProvider(bash(`sleep ${time}`));
  await using place = crushPlace({ provider });
  const bomb = place.write(
    "bomb.cjs",
    `if (process.argv[1].endsWith("crush")) process.on("SIGUSR2", () => { throw new Error("boom"); });`,
  );
  const run = place.spawn(["run", "-v", "hi"], { env: { NODE_OPTIONS: `--require ${bomb}` } });
  await allLive(time, 1);
  process.kill(run.pid, "SIGUSR2");
  const ended = await run.ended;
  expect([ended.status, errorLines(ended)]).toEqual([
    1,
    [expect.stringContaining("Error: boom (internal)") as string],
  ]);
  await goneSoon(() => living(time));
});
