/** A signal that fires with its parent, on `abort()`, or when its scope ends: whichever is first. */
export interface Scope extends Disposable {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/**
 * A child of a long-lived signal. `AbortSignal.any` stays attached to its sources on Node 20 (one leak per call), and so does a listener
 * that another signal should detach: Node holds that link weakly, and a collection breaks it. This one is removed when the child ends.
 */
export function childScope(parent: AbortSignal): Scope {
  const own = new AbortController();
  const onAbort = (): void => own.abort(parent.reason);
  const abort = (reason?: unknown): void => {
    parent.removeEventListener("abort", onAbort);
    own.abort(reason);
  };
  if (parent.aborted) onAbort();
  else parent.addEventListener("abort", onAbort, { once: true });
  return { signal: own.signal, abort, [Symbol.dispose]: () => abort(ENDED) };
}

/** One for all: an error of its own for each scope, with its stack, costs more than the rest of the scope. */
const ENDED = Object.assign(new Error("the scope has ended"), { name: "AbortError" });
