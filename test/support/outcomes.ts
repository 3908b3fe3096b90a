import { writeFileSync } from "node:fs";
import type { Reason } from "../../src/protocol/ending.ts";
import { configurationOf, type CrushOptions, type CrushPlace, type RunningCrush } from "./crush.ts";
import { runIdOf } from "./ended-run.ts";
import type { FakeProvider, FakeScript } from "./fake-provider.ts";
import type { FakeStep } from "./fake-script.ts";

/** One way for `crush run` to end, made to happen, and what everybody who looks must see. */
export interface Outcome {
  readonly script?: FakeScript;
  readonly args?: readonly string[];
  readonly env?: CrushOptions["env"];
  /** Default: `hi`. */
  readonly words?: readonly string[];
  /** The user's crush.json instead of the usual one. */
  readonly configuration?: (url: string) => object | string;
  /** Before the command is started. */
  readonly before?: (place: CrushPlace, provider: FakeProvider) => Promise<void> | void;
  /** While it goes on. */
  readonly during?: (scene: Scene) => Promise<void>;
  /** Default: the name that it stands under. */
  readonly reason?: Reason;
  /** As it is promised, once more: the table of the program is not its own judge. A signal's name: it dies of it. */
  readonly ends: number | NodeJS.Signals;
  /** With `--output text`. */
  readonly stdout?: string;
}

export interface Scene {
  readonly place: CrushPlace;
  readonly provider: FakeProvider;
  readonly run: RunningCrush;
}

const call = (n: number, name = "ls", input: object = {}): FakeStep => ({
  text: `Step ${n}.`,
  toolCalls: [{ id: `call_${n}`, name, input }],
  usage: { input: 100, output: 10 },
});
const CALLS = [call(1), call(2), call(3)];
const HANGS: FakeStep = { neverHeaders: true };

const model = (more: object) => (url: string) => {
  const { providers, ...rest } = configurationOf({ url });
  const one = { id: "model", name: "Fake", context_window: 100_000, ...more };
  return { providers: { fake: { ...providers?.fake, models: [one] } }, ...rest };
};

const signalled = (signal: NodeJS.Signals, ends: Outcome["ends"] = signal): Outcome => ({
  reason: "signal",
  script: HANGS,
  during: async ({ run, provider }) => {
    await provider.waitForRequest(1);
    process.kill(run.pid, signal);
  },
  ends,
});

/** Every reason that `crush run` with the server in its own process can end with. */
export const OUTCOMES = {
  end_turn: { script: [call(1), { text: "Done." }], ends: 0, stdout: "Done.\n" },
  provider_error: { script: { status: 400 }, ends: 1 },
  content_filter: {
    script: { text: "Half", finish: "content_filter" },
    ends: 1,
    stdout: "Half\n",
  },
  empty_output: { script: {}, ends: 1 },
  usage: { args: ["--retries", "many"], ends: 2 },
  invalid_config: { configuration: () => '{"models": 3}', ends: 2 },
  unknown_model: { args: ["-m", "fake/none"], ends: 2 },
  unknown_session: { args: ["--session", "none"], ends: 2 },
  run_conflict: {
    script: [{ text: "Before." }],
    before: async (place) => void (await place.run(["run", "--run-id", "one", "another prompt"])),
    args: ["--run-id", "one"],
    ends: 2,
  },
  no_prompt: { words: [], ends: 2 },
  auth_missing: {
    configuration: () => ({ models: { large: { provider: "openai", model: "gpt-5" } } }),
    ends: 4,
  },
  auth_refused: { script: { status: 401 }, ends: 4 },
  provider_unavailable: { script: { status: 503 }, args: ["--retries", "0"], ends: 5 },
  session_busy: {
    script: [{ text: "Before." }, HANGS],
    before: async (place, provider) => {
      await place.run(["run", "What?"]);
      place.spawn(["run", "--continue", "And?"]);
      await provider.waitForRequest(2);
    },
    args: ["--continue", "--if-busy=fail"],
    ends: 5,
  },
  turns: { script: CALLS, args: ["--max-turns", "1"], ends: 6, stdout: "Step 1.\n" },
  tool_calls: { script: CALLS, args: ["--max-tool-calls", "1"], ends: 6, stdout: "Step 2.\n" },
  tokens: { script: CALLS, args: ["--max-tokens", "100"], ends: 6, stdout: "Step 1.\n" },
  cost: {
    script: CALLS,
    configuration: model({ cost_per_1m_in: 1, cost_per_1m_out: 10 }),
    args: ["--max-cost", "0.0001"],
    ends: 6,
    stdout: "Step 1.\n",
  },
  context: {
    script: {
      status: 400,
      body: { error: { message: "too long", code: "context_length_exceeded" } },
    },
    ends: 6,
  },
  output_tokens: { script: { text: "Half", finish: "length" }, ends: 6, stdout: "Half\n" },
  loop: {
    script: ({ index }) => ({
      ...call(0),
      toolCalls: [{ id: `c${index}`, name: "ls", input: {} }],
    }),
    ends: 6,
    stdout: "Step 0.\n",
  },
  needs_approval: {
    script: [call(1, "view", { file_path: "/etc/hostname" }), { text: "Done." }],
    ends: 7,
    stdout: "Done.\n",
  },
  schema: {
    script: { text: "no JSON" },
    before: (place) => void place.write("schema.json", '{"type":"object"}'),
    args: ["--schema", "schema.json"],
    ends: 8,
  },
  check_failed: {
    script: { text: "Done." },
    args: ["--check", "false", "--check-retries", "1"],
    ends: 10,
    stdout: "Done.\n",
  },
  output_write: {
    script: { text: "Done." },
    args: ["-o", "/dev/full"],
    ends: 8,
    stdout: "Done.\n",
  },
  storage: {
    before: (place) => writeFileSync(`${place.work}/taken`, ""),
    args: ["--data-dir", "taken"],
    ends: 8,
  },
  by_client: {
    script: HANGS,
    args: ["-v"],
    during: async ({ place, provider, run }) => {
      await provider.waitForRequest(1);
      await run.waitForStderr(" in session ");
      await place.run(["cancel", runIdOf(run.stderr())]);
    },
    ends: 3,
  },
  timeout: { script: HANGS, args: ["--timeout", "1500ms"], ends: 124 },
  idle_timeout: { script: HANGS, args: ["--idle-timeout", "500ms"], ends: 124 },
  "signal TERM": signalled("SIGTERM"),
  "signal INT": signalled("SIGINT"),
  "signal HUP": signalled("SIGHUP"),
  "signal QUIT": signalled("SIGQUIT", 131),
} as const satisfies Readonly<Record<string, Outcome>>;

/** Why the others cannot be made to happen there, or are looked at elsewhere. */
export const ELSEWHERE = {
  internal: "a bug; test/run and test/cli make some",
  interrupted: "seen only afterwards, by others: store.test.ts",
  unknown_run: "of the commands that look at runs: runs.test.ts",
  stdin_wait: "needs an input that stays silent: stdin.test.ts",
  by_shutdown: "a listening server's",
  server_lost: "a listening server's: lost-stream.test.ts",
  queue_full: "256 prompts that wait: dispatch tests",
  needs_input: "no tool asks a person",
  reader_left: "another kind of standard output: pipes.test.ts, output-json.test.ts",
} as const satisfies Partial<Record<Reason, string>>;
