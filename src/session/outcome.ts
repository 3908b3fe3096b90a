import type { Cancel } from "../protocol/cancel.ts";
import { ENDINGS, failure, type Reason, type RunFailure } from "../protocol/ending.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import { NO_USAGE } from "../protocol/usage.ts";

/** The outcome of a prompt that never reached a model. */
export function outcomeWithoutTurn(what: RunFailure): RunOutcome {
  return { ...NOTHING, reason: what.reason, failure: what };
}

const NOTHING: Omit<RunOutcome, "reason" | "failure"> = {
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

export const cancelledOutcome = (cancel: Cancel): RunOutcome =>
  byWhom(outcomeWithoutTurn(abortFor(cancel.reason).failure), cancel);

/** A cancelled outcome with the client that asked for it, when that is known. */
export const byWhom = (outcome: RunOutcome, cancel: Cancel | null): RunOutcome =>
  cancel === null || cancel.by === null || !isCancel(outcome.reason)
    ? outcome
    : { ...outcome, cancelledBy: cancel.by };

/** What a run's signal fires with. Nobody cancels a run by completing it. */
export const abortFor = (reason: Reason): RunAborted =>
  new RunAborted(reason === "end_turn" ? "by_client" : reason);

/** The outcome of a prompt that joined the turn of another one: it has none of its own. */
export const foldedOutcome = (): RunOutcome => ({ ...NOTHING, reason: "end_turn", failure: null });

/** The outcome of a run whose outcome could not be stored. A cancelled one stays cancelled, and says so (RUN-5). */
export function lostOutcome(outcome: RunOutcome, what: RunFailure): RunOutcome {
  const lost = { ...outcome, partial: outcome.text !== "" };
  if (outcome.failure === null || !isCancel(outcome.reason))
    return { ...lost, reason: what.reason, failure: what };
  const { message, remedy } = what;
  const told = `${outcome.failure.message}, and its end could not be stored: ${message}`;
  return { ...lost, failure: { ...outcome.failure, message: told, remedy } };
}

export const interruptedOutcome = (): RunOutcome =>
  outcomeWithoutTurn(
    failure("interrupted", "the process that ran it died", {
      remedy: "run it again, or go on with --continue",
    }),
  );

/** The run did not end although the server had to. */
export const leftBehindOutcome = (): RunOutcome =>
  outcomeWithoutTurn(
    failure("by_shutdown", "the server shut down and the run did not obey in time", {
      remedy: "run it again",
    }),
  );

export const isCancel = (reason: Reason): boolean => ENDINGS[reason].status === "cancelled";
