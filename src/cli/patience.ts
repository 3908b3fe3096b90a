import type { RunAborted } from "../protocol/run-aborted.ts";
import { monotonicMs } from "../shared/clock.ts";
import { deferred } from "../shared/deferred.ts";

/** As long after the bound of a cancelled run as its end may take us to learn. */
const GRACE_MS = 1_000;
/** A reader that reads gets the rest, however late the run ended. */
const AT_LEAST_MS = 250;

/**
 * Waits for bytes on their way: for ever while nobody wants the end, else as long as a cancelled run may take (`killAfterMs` after the
 * cancel). What it returns resolves with why, when the wait was given up. `cancel` fires with a `RunAborted`.
 */
export function patience(
  cancel: AbortSignal,
  killAfterMs: () => number,
): (writing: Promise<void>) => Promise<RunAborted | null> {
  let cancelledAt: number | null = null;
  const now = (): void => void (cancelledAt = monotonicMs());
  if (cancel.aborted) now();
  else cancel.addEventListener("abort", now, { once: true });
  const leftMs = (): number => {
    const until = (cancelledAt ?? monotonicMs()) + killAfterMs() + GRACE_MS;
    return Math.max(until - monotonicMs(), AT_LEAST_MS);
  };
  return async (writing) => {
    let timer: NodeJS.Timeout | undefined;
    const over = deferred<RunAborted>();
    const start = (): void => {
      timer = setTimeout(() => over.resolve(cancel.reason as RunAborted), leftMs());
    };
    if (cancel.aborted) start();
    else cancel.addEventListener("abort", start, { once: true });
    try {
      return await Promise.race([writing.then(() => null), over.promise]);
    } finally {
      clearTimeout(timer);
      cancel.removeEventListener("abort", start);
    }
  };
}
