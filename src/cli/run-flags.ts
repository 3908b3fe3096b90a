import { CI_SYSTEMS } from "./ci-report.ts";
import { FORMATS } from "./format.ts";
import { PROGRESS_MODES } from "./progress-mode.ts";
import { GATE_FLAGS } from "./gate-flags.ts";
import { duration, type Flag, type FlagTable } from "./flags.ts";

const most = (describe: string, twin: string): Flag => ({
  type: "string",
  nargs: 1,
  takes: "N",
  describe: `${describe} (0: no limit)`,
  twin,
});

/** What the model is asked. */
const PROMPT_FLAGS = {
  "prompt-file": {
    type: "string",
    nargs: 1,
    takes: "FILE",
    describe: "Take the prompt from this file: after standard input, before the words",
  },
  file: {
    alias: "f",
    type: "string",
    nargs: 1,
    takes: "FILE",
    many: true,
    describe: "Attach this file: text, PNG, JPEG, GIF, WebP or PDF",
  },
  "dry-run": {
    type: "boolean",
    describe: "Print what would be sent, and to whom; send nothing",
  },
  stdin: {
    type: "boolean",
    describe: "--no-stdin: never read standard input",
    twin: "CRUSH_RUN_STDIN",
  },
  "stdin-wait": duration("Longest wait for a byte on standard input (60s)", "CRUSH_RUN_STDIN_WAIT"),
} as const satisfies FlagTable;

const MODEL_FLAGS = {
  model: {
    alias: "m",
    type: "string",
    nargs: 1,
    takes: "MODEL",
    describe: "Model, as provider/model (see: crush models)",
    twin: "CRUSH_RUN_MODEL",
  },
  "small-model": {
    type: "string",
    nargs: 1,
    takes: "MODEL",
    describe: "Model that writes the summary of a long conversation (that of the run)",
    twin: "CRUSH_RUN_SMALL_MODEL",
  },
  "reasoning-effort": {
    type: "string",
    nargs: 1,
    takes: "LEVEL",
    values: ["none", "minimal", "low", "medium", "high", "xhigh", "max"],
    describe: "How much it thinks: none, minimal, low, medium, high, xhigh or max",
    twin: "CRUSH_RUN_REASONING_EFFORT",
  },
  temperature: {
    type: "string",
    nargs: 1,
    takes: "N",
    describe: "How freely it chooses its words, 0 to 2",
    twin: "CRUSH_RUN_TEMPERATURE",
  },
  system: {
    type: "string",
    nargs: 1,
    takes: "TEXT",
    describe: "TEXT or @FILE in place of our own system prompt",
    twin: "CRUSH_RUN_SYSTEM",
  },
  "append-system": {
    type: "string",
    nargs: 1,
    takes: "TEXT",
    describe: "TEXT or @FILE at the end of the system prompt",
    twin: "CRUSH_RUN_APPEND_SYSTEM",
  },
  retries: {
    type: "string",
    nargs: 1,
    takes: "N",
    describe: "Times a failed model call is tried again (4)",
    twin: "CRUSH_RUN_RETRIES",
  },
  "retry-max-wait": duration("Longest wait before a retry (60s)", "CRUSH_RUN_RETRY_MAX_WAIT"),
} as const satisfies FlagTable;

const SESSION_FLAGS = {
  session: {
    alias: "s",
    type: "string",
    nargs: 1,
    takes: "ID",
    describe: "Go on with this session",
  },
  continue: {
    alias: "C",
    type: "boolean",
    describe: "Go on with the last session of this directory",
  },
  fork: {
    type: "boolean",
    describe: "With --session or --continue: in a copy of that session, which stays as it is",
  },
  "run-id": {
    type: "string",
    nargs: 1,
    takes: "ID",
    describe: "Id of the run: the same command with the same id is executed once",
  },
  "if-busy": {
    type: "string",
    nargs: 1,
    takes: "WORD",
    values: ["queue", "fail"],
    describe: "While the session has open prompts: queue behind them, or fail (queue)",
    twin: "CRUSH_RUN_IF_BUSY",
  },
} as const satisfies FlagTable;

/** What the agent may do. */
const TOOL_FLAGS = {
  allow: {
    type: "string",
    nargs: 1,
    many: true,
    takes: "RULE",
    describe: "Allow tool or tool(pattern), as bash(git *); more often: each of them",
    twin: "CRUSH_RUN_ALLOW",
  },
  deny: {
    type: "string",
    nargs: 1,
    many: true,
    takes: "RULE",
    describe: "Forbid tool or tool(pattern), as write(.env); always wins",
    twin: "CRUSH_RUN_DENY",
  },
  "read-only": {
    type: "boolean",
    describe: "Only what changes nothing",
    twin: "CRUSH_RUN_READ_ONLY",
  },
  yolo: {
    alias: "y",
    type: "boolean",
    describe: "Allow everything that no rule forbids",
    twin: "CRUSH_RUN_YOLO",
  },
  "on-ask": {
    type: "string",
    nargs: 1,
    takes: "WORD",
    values: ["deny", "allow", "abort"],
    describe: "A call that would need approval: deny, allow or abort (deny)",
    twin: "CRUSH_RUN_ON_ASK",
  },
  "allow-blocked": {
    type: "boolean",
    describe: "A refused tool call does not fail the run",
    twin: "CRUSH_RUN_ALLOW_BLOCKED",
  },
} as const satisfies FlagTable;

const LIMIT_FLAGS = {
  timeout: duration("Longest time for the whole run (0, the default: none)", "CRUSH_RUN_TIMEOUT"),
  "idle-timeout": duration(
    "Longest silence of model and tools (10m; 0: none)",
    "CRUSH_RUN_IDLE_TIMEOUT",
  ),
  "kill-after": duration("Time for a cancelled run to end (10s)", "CRUSH_RUN_KILL_AFTER"),
  "max-turns": most("Most model calls, summaries not counted", "CRUSH_RUN_MAX_TURNS"),
  "max-tool-calls": most("Most tool calls", "CRUSH_RUN_MAX_TOOL_CALLS"),
  "max-tokens": most("No model call after this many tokens, in and out", "CRUSH_RUN_MAX_TOKENS"),
  "max-cost": most("No model call after this many US dollars", "CRUSH_RUN_MAX_COST"),
} as const satisfies FlagTable;

/** The answer: its form and its place. */
const OUTPUT_FLAGS = {
  output: {
    type: "string",
    nargs: 1,
    takes: "FORMAT",
    values: FORMATS,
    describe: "What standard output carries: text, json or stream-json (text)",
    twin: "CRUSH_RUN_OUTPUT",
  },
  "output-file": {
    alias: "o",
    type: "string",
    nargs: 1,
    takes: "FILE",
    describe: "Write the answer to this file too (with --output json or stream-json: the result)",
  },
  events: {
    type: "string",
    nargs: 1,
    takes: "FILE",
    describe: "Write all events to this file, as lines of JSON, the result last",
  },
  "print-schema": {
    type: "boolean",
    describe: "Print the JSON Schema of the result (or, with the word events, of an event)",
  },
  junit: {
    type: "string",
    nargs: 1,
    takes: "FILE",
    describe: "Write a JUnit report with one test case to this file",
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
  ...GATE_FLAGS,
  "allow-empty": {
    type: "boolean",
    describe: "An empty answer is a success",
    twin: "CRUSH_RUN_ALLOW_EMPTY",
  },
} as const satisfies FlagTable;

/** What is said on standard error. */
const NEWS_FLAGS = {
  progress: {
    type: "string",
    nargs: 1,
    takes: "HOW",
    values: PROGRESS_MODES,
    describe: "Signs of life: a status line on a terminal, else a line every 30 s (auto)",
    twin: "CRUSH_RUN_PROGRESS",
  },
  "print-ids": {
    type: "boolean",
    describe: "Say session_id=ID and run_id=ID on two lines of standard error before the run",
    twin: "CRUSH_RUN_PRINT_IDS",
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
  ci: {
    type: "string",
    nargs: 1,
    takes: "SYSTEM",
    values: CI_SYSTEMS,
    describe: "Report to a CI system: github, none or auto (auto)",
    twin: "CRUSH_RUN_CI",
  },
} as const satisfies FlagTable;

/** The flags of `crush run`, as its help groups them. */
export const RUN_FLAG_GROUPS = {
  "The prompt": PROMPT_FLAGS,
  "The model": MODEL_FLAGS,
  "The session": SESSION_FLAGS,
  "What it may do": TOOL_FLAGS,
  Limits: LIMIT_FLAGS,
  "The answer": OUTPUT_FLAGS,
  News: NEWS_FLAGS,
} as const satisfies Readonly<Record<string, FlagTable>>;

export const RUN_FLAGS = {
  ...PROMPT_FLAGS,
  ...MODEL_FLAGS,
  ...SESSION_FLAGS,
  ...TOOL_FLAGS,
  ...LIMIT_FLAGS,
  ...OUTPUT_FLAGS,
  ...NEWS_FLAGS,
} as const satisfies FlagTable;

/** What most runs need: the flags that the short help shows, in its order. */
export const USUAL_RUN_FLAGS: readonly (keyof typeof RUN_FLAGS)[] = [
  "model",
  "session",
  "continue",
  "timeout",
  "max-turns",
  "max-cost",
  "output",
  "output-file",
  "stdin",
  "quiet",
  "verbose",
];
