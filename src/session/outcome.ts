import { failure, RunFailed, type Reason, type RunFailure } from "../protocol/ending.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import { NO_USAGE } from "../protocol/usage.ts";

/** The outcome of a prompt that never reached a model. */
export function outcomeWithoutTurn(what: RunFailure): RunOutcome {
  return {
    reason: what.reason,
    failure: what,
    text: "",
    messageId: null,
    partial: false,
    usage: NO_USAGE,
    costUsd: 0,
    turns: 0,
    toolCalls: 0,
    models: [],
    denials: [],
    warnings: [],
  };
}

export const cancelledOutcome = (reason: Reason): RunOutcome =>
  outcomeWithoutTurn(new RunAborted(cancelReason(reason)).failure);

/** Nobody cancels a run by completing it. */
export const cancelReason = (reason: Reason): RunFailure["reason"] =>
  reason === "end_turn" ? "by_client" : reason;

/** The outcome of a run whose outcome could not be stored. */
export const lostOutcome = (outcome: RunOutcome, what: RunFailure): RunOutcome => ({
  ...outcome,
  reason: what.reason,
  failure: what,
  partial: outcome.text !== "",
});

export const interruptedOutcome = (): RunOutcome =>
  outcomeWithoutTurn(
    failure("interrupted", "the process that ran it died", {
      remedy: "run it again, or go on with --continue",
    }),
  );

/** What a thrown value means for the run it was thrown in; a bug becomes `internal`. */
export function failureOf(error: unknown): RunFailure {
  if (error instanceof RunFailed || error instanceof RunAborted) return error.failure;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return failure("internal", text === "" ? "unknown error" : text, {
    remedy: "this is a bug of crush-run; please report it",
  });
}

const CANCELS: readonly Reason[] = ["by_client", "by_shutdown", "signal", "reader_left"];
export const isCancel = (reason: Reason): boolean => CANCELS.includes(reason);
