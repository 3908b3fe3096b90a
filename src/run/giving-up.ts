import type { Reason } from "../protocol/ending.ts";
import type { RunAborted } from "../protocol/run-aborted.ts";
import { LONGEST_TIMER_MS } from "../shared/duration.ts";
import { childScope } from "../shared/scope.ts";

/** The end of a run on request: it is asked for by RunID, and waited for no longer than a bound. */
export interface GivingUp extends Disposable {
  /** Fires with the reason when the bound is over. What is done for the run carries it, and thereby outlives the request. */
  readonly signal: AbortSignal;
  /** The run shall end; only the first reason counts. */
  request(why: RunAborted): void;
  /** That reason; null as long as nobody wants the end. */
  requested(): RunAborted | null;
  /** The prompt is on its way: from now on a request is passed to the server. */
  posting(): void;
  /** The server knows the run: a request that came too early for it is passed on again. */
  accepted(): void;
}

/** The server has its own `killAfter`; this much later we stop believing in it. */
const GRACE_MS = 1_000;

/** `cancel` asks the server for the end of the run. */
export function givingUp(
  cancel: (reason: Reason, signal: AbortSignal) => Promise<void>,
  killAfterMs: number,
): GivingUp {
  const scope = childScope(new AbortController().signal);
  let why: RunAborted | null = null;
  let timer: NodeJS.Timeout | undefined;
  let posted = false;
  const ask = (): void => {
    if (why === null || !posted) return;
    cancel(why.reason, scope.signal).catch(() => {
      // Not accepted yet, or gone already: the bound ends the wait.
    });
  };
  return {
    signal: scope.signal,
    request: (reason) => {
      if (why !== null) return;
      why = reason;
      const bound = Math.min(killAfterMs + GRACE_MS, LONGEST_TIMER_MS);
      timer = setTimeout(() => scope.abort(reason), bound);
      ask();
    },
    requested: () => why,
    posting: () => {
      posted = true;
    },
    accepted: ask,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      scope[Symbol.dispose]();
    },
  };
}
