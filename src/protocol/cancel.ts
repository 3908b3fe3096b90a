import type { Reason } from "./ending.ts";

/** Why a prompt shall end, and at whose wish. */
export interface Cancel {
  readonly reason: Reason;
  /** The client that asked for it; null when it did not say. */
  readonly by: string | null;
}
