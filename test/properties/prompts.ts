import type { Cancel } from "../../src/protocol/cancel.ts";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import type { Message } from "../../src/protocol/message.ts";
import type { RunComplete } from "../../src/protocol/run-event.ts";
import type { RunState } from "../../src/protocol/run-record.ts";
import type { Plan } from "./plan.ts";

/** One prompt that was accepted, and what the oracle knows of it without looking into the dispatcher. */
export interface Tracked {
  /** Its text, and what its steps of the schedule are called. */
  readonly name: string;
  readonly seq: number;
  readonly runId: RunId | null;
  readonly sessionId: SessionId;
  /** The process that accepted it. */
  readonly process: string;
  readonly plan: Plan;
  /** It may join a running turn. */
  readonly foldable: boolean;
  /**
   * The first cancel that covered it while its outcome was open. The specification's mark says the same by numbers; a flag per
   * prompt says it without them.
   */
  flag: Cancel | null;
  flaggedAt: number | null;
  /** How often its model had been called by then. */
  callsAtFlag: number | null;
  /** Where it stood then. */
  stoodAtFlag: RunState | null;
  /** When its text came into a turn. */
  askedAt: number | null;
  /** What may have happened instead of what the flag says, and why: the two came at the same time. */
  readonly instead: Set<string>;
  /** Its last word was said: a cancel may come too late. */
  decided: boolean;
  /** Its process began to shut down while it was open. */
  closing: boolean;
  /** A shutdown may give up waiting for it, and with it its last messages. */
  readonly isStubborn: boolean;
  /** When its model was first called, among all of them. */
  startedAs: number | null;
  /** The messages of each of its model calls. */
  readonly calls: (readonly Message[])[];
  /** Terminal events with its RunID, by process. */
  readonly terminals: Map<string, RunComplete[]>;
}

/** A prompt that was not taken. */
export interface Rejected {
  readonly name: string;
  readonly runId: RunId | null;
  readonly error: unknown;
}
