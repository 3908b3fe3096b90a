import { failure, RunFailed } from "../protocol/ending.ts";

/** Fires with a failure that a person understands when a command has taken too long. */
export function timeLimit(ms: number, remedy: string): AbortSignal {
  const limit = new AbortController();
  const message = `the command did not end within ${ms / 1000} s`;
  const what = failure("timeout", message, { remedy });
  setTimeout(() => limit.abort(new RunFailed(what)), ms).unref();
  return limit.signal;
}
