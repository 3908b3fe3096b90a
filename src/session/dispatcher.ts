import type { Reason } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunRecord } from "../protocol/run-record.ts";
import type { Clock } from "../shared/clock.ts";
import type { StoredPrompt } from "../store/runs.ts";
import type { Store } from "../store/store.ts";
import type { PrepareTurn } from "./prepare-turn.ts";
import type { Accepted, PromptRequest } from "./take-prompt.ts";

export interface DispatcherDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly prepareTurn: PrepareTurn;
  /** Must not throw; may call back into the dispatcher. */
  readonly publish: (event: WireEvent) => void;
  /** A process died in this run: end what it left behind. Must not throw. */
  readonly onInterrupted: (runId: RunId) => void;
}

/** Accepts prompts, runs them one at a time per session, and settles each exactly once. */
export interface Dispatcher {
  /** Synchronous: the prompt is stored when it returns. Throws `RunFailed` for a prompt that is not taken. */
  accept(request: PromptRequest): Accepted;
  /** Ends every open prompt of the session that was accepted before; how many that were. */
  cancelSession(sessionId: SessionId, reason: Reason): number;
  /** Drops what waits behind the active prompt of the session; how many that were. */
  clearQueue(sessionId: SessionId): number;
  /** False when the run was settled already; throws `unknown_run`. */
  cancelRun(runId: RunId, reason: Reason): boolean;
  isBusy(sessionId: SessionId): boolean;
  /** Prompts that wait behind the active one. */
  queued(sessionId: SessionId): readonly StoredPrompt[];
  record(runId: RunId): RunRecord | null;
  /** No new prompts; open ones of this process are cancelled and waited for. Bounded by their `killAfter`. */
  shutdown(): Promise<void>;
}
