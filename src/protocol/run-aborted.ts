import { failure, type Reason, type RunFailure } from "./ending.ts";

/**
 * Why a run's signal fired; the `reason` of every abort of a run. Its name is `AbortError`, because the AI SDK takes any
 * other reason for a failure of the call.
 */
export class RunAborted extends Error {
  readonly reason: Exclude<Reason, "end_turn">;
  readonly failure: RunFailure;
  constructor(reason: Exclude<Reason, "end_turn">, what?: RunFailure) {
    super(what?.message ?? MESSAGES[reason] ?? reason);
    this.name = "AbortError";
    this.reason = reason;
    this.failure = what ?? failure(reason, this.message, { remedy: REMEDIES[reason] ?? null });
  }
}

/** What a signal's reason means for the run, whoever aborted it. */
export const abortOf = (reason: unknown): RunAborted =>
  reason instanceof RunAborted ? reason : new RunAborted("by_client");

const MESSAGES: Partial<Record<Reason, string>> = {
  by_client: "the run was cancelled by a client",
  by_shutdown: "the server shut down",
  signal: "the run was cancelled by a signal",
  reader_left: "the reader of the output left",
  output_write: "the output could not be written",
  timeout: "the run did not end within its time limit",
  idle_timeout: "neither model nor tool gave a sign of life within the idle limit",
};

const REMEDIES: Partial<Record<Reason, string>> = {
  timeout: "raise --timeout, or ask for less",
  idle_timeout: "raise --idle-timeout, or try again",
};
