import type { Reason } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunOutcome, RunRecord } from "../protocol/run-record.ts";
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
  /** When settlements that came together are stored, in one commit; `setImmediate` unless told. */
  readonly soon?: (work: () => void) => void;
  /** How long a shutdown waits for runs that do not obey; 15 seconds unless told. */
  readonly shutdownMs?: number;
  /** A process died in this run: end what it left behind. Must not throw. */
  readonly onInterrupted: (runId: RunId) => void;
}

/** Accepts prompts, runs them one at a time per session, and settles each exactly once. */
export interface Dispatcher {
  /**
   * Synchronous: the prompt is stored when it returns. Throws `RunFailed` for a prompt that is not taken (`by_shutdown`,
   * `run_conflict`, `unknown_session`, `queue_full`, `storage`).
   */
  accept(request: PromptRequest): Accepted;
  /**
   * Ends every open prompt of the session that was accepted before, and says where they stood. `by` is the client that asks.
   */
  cancelSession(sessionId: SessionId, reason: Reason, by?: string | null): CancelHit;
  /** Drops what waits behind the active prompt of the session; how many that were. */
  clearQueue(sessionId: SessionId, by?: string | null): number;
  /** False when the run was settled already; throws `unknown_run`. */
  cancelRun(runId: RunId, reason: Reason, by?: string | null): boolean;
  /**
   * Has the conversation summarised, so that the model is shown the summary instead of what came before it. Holds the slot
   * meanwhile. Rejects with `RunFailed`: `session_busy` while a prompt is open, else whatever ended it.
   */
  summarize(sessionId: SessionId, by?: string | null): Promise<RunOutcome>;
  isBusy(sessionId: SessionId): boolean;
  /** Prompts that wait behind the active one. */
  queued(sessionId: SessionId): readonly StoredPrompt[];
  record(runId: RunId): RunRecord | null;
  /** The last `limit` runs, newest first. */
  recent(limit: number): readonly RunRecord[];
  /** Settles what dead processes left open, in every session. */
  recover(): void;
  /** Prompts of this process that are not settled: what a shutdown would wait for. */
  inFlight(): number;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
  /**
   * No new prompts; open ones of this process are cancelled and waited for. Bounded: whoever does not obey is settled without it.
   */
  shutdown(): Promise<void>;
}

/** How many open prompts a cancel hit, by where they stood. */
export interface CancelHit {
  readonly active: number;
  readonly reserved: number;
  readonly queued: number;
}
