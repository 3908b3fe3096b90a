import { failure, type RunFailure } from "../protocol/ending.ts";
import type { TurnEvent } from "../protocol/run-event.ts";
import type { Clock } from "../shared/clock.ts";
import { LONGEST_TIMER_MS } from "../shared/duration.ts";
import { orLeftBehind } from "../shared/or-left-behind.ts";
import { runShell, type ShellEnd } from "../tools/shell-command.ts";
import type { Verdict } from "./gates.ts";

/** A command of the user that judges what a turn has done. */
export interface Check {
  readonly command: string;
  /** So often its complaints are given to the model. */
  readonly retries: number;
}

export interface CheckPorts {
  readonly emit: (event: TurnEvent) => void;
  readonly clock: Clock;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Runs the check for the `n`th time, from 1. It has no time limit of its own: those of the run hold, and its output is a sign of life.
 * Rejects with `signal.reason` when aborted, after everything was ended.
 */
export async function runCheck(
  ports: CheckPorts,
  { command, retries }: Check,
  n: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const { emit, clock, cwd, env } = ports;
  const start = clock.monotonic();
  emit({ type: "check.started", command, n });
  const onProgress = (bytes: number): void =>
    emit({ type: "tool.progress", callId: `check-${n}`, bytes });
  const running = runShell({
    command,
    cwd,
    env,
    timeLimitMs: LONGEST_TIMER_MS,
    onProgress,
    signal,
  });
  const end = await orLeftBehind(running, OBEY_MS, signal);
  const { output, truncated, exitCode } = endOf(end);
  const ms = Math.round(clock.monotonic() - start);
  emit({ type: "check.completed", exitCode, output, truncated, ms });
  if (end.type === "not_started")
    return { type: "fail", failure: checkFailed(`the check could not be started: ${end.message}`) };
  if (exitCode === 0) return { type: "accept" };
  const how = exitCode === null ? `ended by ${end.endedBy ?? "a signal"}` : `exit code ${exitCode}`;
  if (n > retries)
    return { type: "fail", failure: checkFailed(`the check failed (${how})${lastWords(output)}`) };
  return { type: "again", words: complaint(command, how, output) };
}

/** How long the check may take to obey an abort, before we go on without it. */
const OBEY_MS = 3_000;

function endOf(end: ShellEnd): {
  readonly exitCode: number | null;
  readonly output: string;
  readonly truncated: boolean;
} {
  if (end.type === "not_started") return { exitCode: null, output: end.message, truncated: false };
  return { exitCode: end.exitCode, output: end.output, truncated: end.cutBytes > 0 };
}

const complaint = (command: string, how: string, output: string): string =>
  `Your work was checked with a command, and the check failed (${how}):\n\n$ ${command}\n${output}\n\nPut right what it complains about, then give your whole \
answer again.`;

const checkFailed = (message: string): RunFailure => failure("check_failed", message);

/** `: the last line that says something`. */
function lastWords(output: string): string {
  const line = output
    .split(/[\r\n]+/)
    .map((one) => one.trim())
    .findLast((one) => one !== "");
  if (line === undefined) return "";
  return `: ${line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line}`;
}

const MOST_CHARACTERS = 200;
