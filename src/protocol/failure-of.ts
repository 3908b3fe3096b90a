import { failure, RunFailed, type RunFailure } from "./ending.ts";
import { RunAborted } from "./run-aborted.ts";

/** What a thrown value means for the run, request or command it was thrown in; a bug of ours becomes `internal`. */
export function failureOf(error: unknown): RunFailure {
  if (error instanceof RunFailed) return error.failure;
  const aborted = abortIn(error);
  if (aborted !== null) return aborted.failure;
  const text =
    error instanceof Error ? error.message && `${error.name}: ${error.message}` : String(error);
  return failure("internal", text === "" ? "unknown error" : text, {
    remedy: "this is a bug of crush-run; please report it",
  });
}

/** An abort is no bug, however it is wrapped. */
function abortIn(error: unknown): RunAborted | null {
  let inner = error;
  for (let depth = 0; depth < MOST_WRAPPERS && inner instanceof Error; depth += 1) {
    if (inner instanceof RunAborted) return inner;
    inner = inner.cause;
  }
  return null;
}

const MOST_WRAPPERS = 10;
