import type { WorkspaceOptions } from "../client/client.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import { readAnswerFlags } from "./answer-flags.ts";
import { monotonicMs } from "../shared/clock.ts";
import { CI_SYSTEMS } from "./ci-report.ts";
import { defined } from "./defined.ts";
import type { WantedRecord } from "./filed-answer.ts";
import type { Flags } from "./flag-values.ts";
import { FORMATS } from "./format.ts";
import { modelOptions } from "./model-options.ts";
import { dryRunFlag, promptFlags } from "./prompt-flags.ts";
import type { PromptInputs } from "./read-prompt.ts";
import { readSessionChoice, type SessionChoice } from "./session-choice.ts";
import { usage } from "./usage.ts";
import { workspaceFlags } from "./workspace-flags.ts";
import { permissionsOf } from "./permission-flags.ts";

/** What a command line asks of a run. */
export interface RunRequest {
  readonly workspace: WorkspaceOptions;
  readonly inputs: PromptInputs;
  readonly choice: SessionChoice;
  readonly live: boolean | null;
  /** Beside standard output. */
  readonly files: readonly WantedRecord[];
  readonly printIds: boolean;
  /** Nothing is sent: what would be is told. */
  readonly dryRun: boolean;
  readonly options: RunOptions;
}

/** Every flag, checked before anything is waited for. Throws `usage`. */
export async function readRequest(flags: Flags): Promise<RunRequest> {
  const choice = readSessionChoice(flags);
  const timeoutMs = flags.duration("timeout");
  // A run with an id of its own is the same when it is asked for again: its options say what the flags say.
  const limit = choice.runId === null ? remaining : (ms: number): number => ms;
  flags.flag("raw");
  flags.choice("ci", CI_SYSTEMS);
  const gates = await readAnswerFlags(flags);
  return {
    workspace: workspaceFlags(flags),
    inputs: promptFlags(flags),
    choice,
    // What follows no schema is not to be seen.
    live: gates.schema === undefined ? flags.flag("stream") : false,
    files: filesOf(flags),
    printIds: flags.flag("print-ids") ?? false,
    dryRun: dryRunFlag(flags),
    options: {
      ...modelOptions(flags),
      // The default stays unsaid, so that the same prompt is the same body.
      ...(flags.choice("if-busy", ["queue", "fail"]) === "fail" ? { ifBusy: "fail" as const } : {}),
      ...defined("timeoutMs", timeoutMs === null || timeoutMs === 0 ? null : limit(timeoutMs)),
      ...defined("idleTimeoutMs", flags.duration("idle-timeout")),
      ...defined("killAfterMs", flags.duration("kill-after")),
      ...defined("retries", flags.count("retries")),
      ...defined("retryMaxWaitMs", flags.duration("retry-max-wait")),
      ...defined("maxTurns", flags.count("max-turns")),
      ...defined("maxToolCalls", flags.count("max-tool-calls")),
      ...defined("maxTokens", flags.count("max-tokens")),
      ...defined("maxCostUsd", flags.dollars("max-cost")),
      ...defined("allowEmpty", flags.flag("allow-empty")),
      ...defined("allowBlocked", flags.flag("allow-blocked")),
      ...defined("requireFiles", flags.texts("file").length > 0 ? true : null),
      ...defined("permissions", permissionsOf(flags)),
      ...gates,
    },
  };
}

function filesOf(flags: Flags): WantedRecord[] {
  const answer = flags.text("output-file");
  const events = flags.text("events");
  const junit = flags.text("junit");
  // -o is the format with many a program.
  if (FORMATS.some((format) => format === answer))
    throw usage(
      `--output-file is ${JSON.stringify(answer)}, which is a format`,
      `use --output ${answer} for the format, or ./${answer} for a file of that name`,
    );
  return [
    ...(answer === null ? [] : [{ kind: "answer", flag: "--output-file", path: answer } as const]),
    ...(junit === null ? [] : [{ kind: "junit", flag: "--junit", path: junit } as const]),
    ...(events === null ? [] : [{ kind: "events", flag: "--events", path: events } as const]),
  ];
}

/** The limit counts from the start of the process. */
const remaining = (timeoutMs: number): number => Math.max(1, Math.round(timeoutMs - monotonicMs()));
