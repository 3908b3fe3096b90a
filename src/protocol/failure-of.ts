import { failure, RunFailed, type RunFailure } from "./ending.ts";
import { RunAborted } from "./run-aborted.ts";

/** What a thrown value means for the run, request or command it was thrown in; a bug of ours becomes `internal`. */
export function failureOf(error: unknown): RunFailure {
  if (error instanceof RunFailed || error instanceof RunAborted) return error.failure;
  const text =
    error instanceof Error ? error.message && `${error.name}: ${error.message}` : String(error);
  return failure("internal", text === "" ? "unknown error" : text, {
    remedy: "this is a bug of crush-run; please report it",
  });
}
