import type { Options } from "yargs";

/** One flag of the command line: what yargs needs, and its twin in the environment. */
export interface Flag extends Options {
  readonly type: "boolean" | "string";
  readonly describe: string;
  /** Also read from here when the flag is absent. Listed one by one: nothing else in the environment is a flag. */
  readonly twin?: string;
  /** May be repeated; each time with one value. */
  readonly many?: boolean;
  /** What help calls its value. `FILE` and `DIR` are also completed as such. */
  readonly takes?: string;
  /** All that its value may be, where that is a list. */
  readonly values?: readonly string[];
}

export type FlagTable = Readonly<Record<string, Flag>>;

export const duration = (describe: string, twin?: string): Flag => ({
  type: "string",
  nargs: 1,
  takes: "TIME",
  describe,
  ...(twin === undefined ? {} : { twin }),
});

/** For every command. */
export const COMMON_FLAGS = {
  cwd: {
    alias: "c",
    type: "string",
    nargs: 1,
    takes: "DIR",
    describe: "Work in this directory",
    twin: "CRUSH_RUN_CWD",
  },
  "data-dir": {
    alias: "D",
    type: "string",
    nargs: 1,
    takes: "DIR",
    describe: "Keep sessions and runs here (default: .crush)",
    twin: "CRUSH_RUN_DATA_DIR",
  },
  "trust-config": {
    type: "boolean",
    describe: "Carry out commands and base URLs that the project's own crush.json names",
    twin: "CRUSH_RUN_TRUST_CONFIG",
  },
  isolated: {
    type: "boolean",
    describe: "Without the configuration and context files of user and project",
    twin: "CRUSH_RUN_ISOLATED",
  },
  config: {
    type: "string",
    nargs: 1,
    takes: "FILE",
    describe: "Read this configuration file too, over all others",
    twin: "CRUSH_RUN_CONFIG",
  },
  debug: {
    alias: "d",
    type: "boolean",
    describe: "Say more about an internal error",
    twin: "CRUSH_RUN_DEBUG",
  },
} as const satisfies FlagTable;

/** Asked of the program itself. */
export const SELF_FLAGS = {
  help: { alias: "h", type: "boolean", describe: "Show this" },
  "help-all": { type: "boolean", describe: "Show every flag, and its variable" },
  "help-exit": { type: "boolean", describe: "Show what each exit status means, and what helps" },
  version: { type: "boolean", describe: "Show the version" },
} as const satisfies FlagTable;

/** For `wait` and `attach`. */
export const WAIT_FLAGS = {
  timeout: duration("Longest time to wait for the run; it goes on (0, the default: none)"),
} as const satisfies FlagTable;

/** For commands whose output programs read as well. */
export const JSON_FLAG = {
  json: { type: "boolean", describe: "Print JSON" },
} as const satisfies FlagTable;
