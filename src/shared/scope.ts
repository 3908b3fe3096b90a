/** A signal that fires with its parent, on `abort()`, or when its scope ends: whichever is first. */
export interface Scope extends Disposable {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/**
 * A child of a long-lived signal. `AbortSignal.any` stays attached to its sources on Node 20 (one leak per
 * call); this listener is removed when the child ends first.
 */
export function childScope(parent: AbortSignal): Scope {
  const own = new AbortController();
  const abort = (reason?: unknown): void => own.abort(reason);
  if (parent.aborted) abort(parent.reason);
  else
    parent.addEventListener("abort", () => abort(parent.reason), {
      once: true,
      signal: own.signal,
    });
  return { signal: own.signal, abort, [Symbol.dispose]: () => abort() };
}
