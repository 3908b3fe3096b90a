import type { Options } from "yargs";

/** One flag of the command line: what yargs needs, and its twin in the environment. */
export interface Flag extends Options {
  readonly type: "boolean" | "string";
  /** Also read from here when the flag is absent. Listed one by one: nothing else in the environment is a flag. */
  readonly twin?: string;
}

const duration = (describe: string, twin?: string): Flag => ({
  type: "string",
  nargs: 1,
  describe,
  ...(twin === undefined ? {} : { twin }),
});

const most = (describe: string, twin: string): Flag => ({
  type: "string",
  nargs: 1,
  describe: `${describe} (0: no limit)`,
  twin,
});

/** For every command. */
export const COMMON_FLAGS = {
  cwd: {
    alias: "c",
    type: "string",
    nargs: 1,
    describe: "Work in this directory",
    twin: "CRUSH_RUN_CWD",
  },
  "data-dir": {
    alias: "D",
    type: "string",
    nargs: 1,
    describe: "Keep sessions and runs here (default: .crush)",
    twin: "CRUSH_RUN_DATA_DIR",
  },
  "trust-config": {
    type: "boolean",
    describe: "Carry out commands and base URLs that the project's own crush.json names",
    twin: "CRUSH_RUN_TRUST_CONFIG",
  },
  debug: {
    alias: "d",
    type: "boolean",
    describe: "Say more about an internal error",
    twin: "CRUSH_RUN_DEBUG",
  },
} as const satisfies Record<string, Flag>;

/** Asked of the program itself. */
export const SELF_FLAGS = {
  help: { alias: "h", type: "boolean", describe: "Show this" },
  version: { type: "boolean", describe: "Show the version" },
} as const satisfies Record<string, Flag>;

/** For `wait` and `attach`. */
export const WAIT_FLAGS = {
  timeout: duration("Longest time to wait for the run; it goes on (0, the default: none)"),
} as const satisfies Record<string, Flag>;

export const RUN_FLAGS = {
  model: {
    alias: "m",
    type: "string",
    nargs: 1,
    describe: "Model, as provider/model (see: crush models)",
    twin: "CRUSH_RUN_MODEL",
  },
  session: { alias: "s", type: "string", nargs: 1, describe: "Go on with this session" },
  continue: {
    alias: "C",
    type: "boolean",
    describe: "Go on with the last session of this directory",
  },
  output: {
    type: "string",
    nargs: 1,
    describe: "What standard output carries: text, json or stream-json (text)",
    twin: "CRUSH_RUN_OUTPUT",
  },
  stream: {
    type: "boolean",
    describe:
      "Print the text of every step as it comes (--no-stream: the last message, at the end)",
    twin: "CRUSH_RUN_STREAM",
  },
  raw: {
    type: "boolean",
    describe: "Keep control sequences in text printed to a terminal",
    twin: "CRUSH_RUN_RAW",
  },
  stdin: {
    type: "boolean",
    describe: "--no-stdin: never read standard input",
    twin: "CRUSH_RUN_STDIN",
  },
  "stdin-wait": duration("Longest wait for a byte on standard input (60s)", "CRUSH_RUN_STDIN_WAIT"),
  timeout: duration("Longest time for the whole run (0, the default: none)", "CRUSH_RUN_TIMEOUT"),
  "idle-timeout": duration(
    "Longest silence of model and tools (10m; 0: none)",
    "CRUSH_RUN_IDLE_TIMEOUT",
  ),
  "kill-after": duration("Time for a cancelled run to end (10s)", "CRUSH_RUN_KILL_AFTER"),
  retries: {
    type: "string",
    nargs: 1,
    describe: "Times a failed model call is tried again (4)",
    twin: "CRUSH_RUN_RETRIES",
  },
  "retry-max-wait": duration("Longest wait before a retry (60s)", "CRUSH_RUN_RETRY_MAX_WAIT"),
  "max-turns": most("Most model calls, summaries not counted", "CRUSH_RUN_MAX_TURNS"),
  "max-tool-calls": most("Most tool calls", "CRUSH_RUN_MAX_TOOL_CALLS"),
  "max-tokens": most("No model call after this many tokens, in and out", "CRUSH_RUN_MAX_TOKENS"),
  "max-cost": most("No model call after this many US dollars", "CRUSH_RUN_MAX_COST"),
  "allow-empty": {
    type: "boolean",
    describe: "An empty answer is a success",
    twin: "CRUSH_RUN_ALLOW_EMPTY",
  },
  "allow-blocked": {
    type: "boolean",
    describe: "A refused tool call does not fail the run",
    twin: "CRUSH_RUN_ALLOW_BLOCKED",
  },
  quiet: {
    alias: "q",
    type: "boolean",
    describe: "No spinner and no notes (retries and refusals are still told)",
    twin: "CRUSH_RUN_QUIET",
  },
  verbose: {
    alias: "v",
    type: "boolean",
    describe: "Say what the run does",
    twin: "CRUSH_RUN_VERBOSE",
  },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof COMMON_FLAGS | keyof typeof RUN_FLAGS;
