import type { TurnSetup } from "../agent/turn-setup.ts";
import type { Cancel } from "../protocol/cancel.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import { limitsOf } from "../protocol/run-options.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { deferred, type Deferred } from "../shared/deferred.ts";
import { childScope, type Scope } from "../shared/scope.ts";
import type { StoredPrompt } from "../store/runs.ts";

/** One prompt that this process accepted and has not settled. Disposed when its task has ended. */
export interface LocalRun extends Disposable {
  readonly prompt: StoredPrompt;
  readonly scope: Scope;
  /** Resolves when the prompt holds the slot, or left without it. */
  readonly turn: Deferred<"start" | "left">;
  /** How it ended, once it has; a folded prompt's turn is another's. */
  readonly outcome: Deferred<RunOutcome>;
  /** Null until it is ready. */
  setup: TurnSetup | null;
  /** The cancel that its signal fired for. */
  cancel: Cancel | null;
  /** It holds the slot, or did. */
  started: boolean;
  /** It has left its session: nothing more is told of it. */
  left: boolean;
}

/** `parent` is the signal of all runs of the process; the prompt's own time limit begins now. */
export function localRun(prompt: StoredPrompt, parent: AbortSignal): LocalRun {
  const scope = childScope(parent);
  const { timeoutMs } = limitsOf(prompt.options);
  const timer =
    timeoutMs === null
      ? undefined
      : setTimeout(() => scope.abort(new RunAborted("timeout")), timeoutMs);
  return {
    prompt,
    scope,
    turn: deferred(),
    outcome: deferred(),
    setup: null,
    cancel: null,
    started: false,
    left: false,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      scope[Symbol.dispose]();
    },
  };
}
