import type { RunOptions } from "../protocol/run-options.ts";
import { monotonicMs } from "../shared/clock.ts";
import { defined } from "./defined.ts";
import type { Flags } from "./flag-values.ts";
import { modelOptions } from "./model-options.ts";
import { usage } from "./usage.ts";
import { workingDirectory } from "./working-directory.ts";

/** What a command line asks of a run. */
export interface RunRequest {
  readonly cwd: string;
  readonly dataDir: string | null;
  readonly trustConfig: boolean;
  readonly session: string | null;
  readonly continueLast: boolean;
  readonly live: boolean | null;
  readonly options: RunOptions;
}

/** Every flag, checked before anything is waited for. Throws `usage`. */
export function readRequest(flags: Flags): RunRequest {
  const session = flags.text("session");
  const continueLast = flags.flag("continue") ?? false;
  if (session !== null && continueLast)
    throw usage("--session and --continue exclude each other", "give one of them");
  if (session === "") throw usage("--session is empty", "give the id of a session");
  const timeoutMs = flags.duration("timeout");
  flags.duration("stdin-wait");
  flags.flag("raw");
  return {
    cwd: workingDirectory(flags.text("cwd")),
    dataDir: flags.text("data-dir"),
    trustConfig: flags.flag("trust-config") ?? false,
    session,
    continueLast,
    live: flags.flag("stream"),
    options: {
      ...modelOptions(flags),
      // The default stays unsaid, so that the same prompt is the same body.
      ...(flags.choice("if-busy", ["queue", "fail"]) === "fail" ? { ifBusy: "fail" as const } : {}),
      ...defined("timeoutMs", timeoutMs === null || timeoutMs === 0 ? null : remaining(timeoutMs)),
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
    },
  };
}

/** The limit counts from the start of the process. */
const remaining = (timeoutMs: number): number => Math.max(1, Math.round(timeoutMs - monotonicMs()));
