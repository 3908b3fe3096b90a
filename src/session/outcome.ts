import { ENDINGS, failure, type Reason, type RunFailure } from "../protocol/ending.ts";
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

export const isCancel = (reason: Reason): boolean => ENDINGS[reason].status === "cancelled";
