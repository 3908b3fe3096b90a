import type { FlagTable } from "./flags.ts";

/** What the answer has to pass before the run ends well. */
export const GATE_FLAGS = {
  schema: {
    type: "string",
    nargs: 1,
    takes: "FILE",
    describe: "The answer is JSON that follows the JSON Schema in this file",
    twin: "CRUSH_RUN_SCHEMA",
  },
  check: {
    type: "string",
    nargs: 1,
    takes: "CMD",
    describe: "Shell command that judges what was done; its complaints go back to the agent",
    twin: "CRUSH_RUN_CHECK",
  },
  "check-retries": {
    type: "string",
    nargs: 1,
    takes: "N",
    describe: "Times the agent may put right what --check complains about (2)",
    twin: "CRUSH_RUN_CHECK_RETRIES",
  },
} as const satisfies FlagTable;
