import type { SetAlarm } from "../shared/alarm.ts";

/** How long a claim outlives what it was made for, in milliseconds. */
export interface ClaimTimes {
  /** Of a client that has asked for the workspace and opens no event stream. */
  readonly creationMs: number;
  /** Of a client whose last event stream ended without a word. */
  readonly detachMs: number;
}

export const CLAIM_TIMES: ClaimTimes = { creationMs: 30_000, detachMs: 10_000 };

/** Who holds one workspace, by client id. protocol.md section 2.3. */
export interface Claims {
  isEmpty(): boolean;
  /** The client has asked for the workspace; asked for again, its time begins anew. */
  hold(clientId: string): void;
  /** An event stream of the client begins; it ends when what is returned is called. A second call is harmless. */
  attach(clientId: string): () => void;
  /** The client lets go: at once, or as soon as its streams have ended. */
  release(clientId: string): void;
  /** The client is gone, whatever streams are left of it. */
  drop(clientId: string): void;
  /** Nobody holds it any more, and nobody is told. */
  clear(): void;
}

/** `let_go`: somebody said so. `expired`: nobody has been heard of for too long. */
export type HowLeft = "let_go" | "expired";

interface Claim {
  streams: number;
  released: boolean;
  stopAlarm: (() => void) | null;
}

interface ClaimOptions {
  /** Null: a claim ends only when its client says so. */
  readonly times: ClaimTimes | null;
  readonly setAlarm: SetAlarm;
  /** The last claim has just ended. */
  readonly onLast: (how: HowLeft) => void;
}

export function claimsOf({ times, setAlarm, onLast }: ClaimOptions): Claims {
  const claims = new Map<string, Claim>();
  const claimOf = (clientId: string): Claim => {
    const claim = claims.get(clientId) ?? { streams: 0, released: false, stopAlarm: null };
    claims.set(clientId, claim);
    return claim;
  };
  const quieten = (claim: Claim): void => {
    claim.stopAlarm?.();
    claim.stopAlarm = null;
  };
  const remove = (clientId: string, how: HowLeft): void => {
    const claim = claims.get(clientId);
    if (claim === undefined) return;
    quieten(claim);
    claims.delete(clientId);
    if (claims.size === 0) onLast(how);
  };
  const expireAfter = (clientId: string, claim: Claim, ms: number | undefined): void => {
    quieten(claim);
    if (ms !== undefined) claim.stopAlarm = setAlarm(ms, () => remove(clientId, "expired"));
  };
  const detach = (clientId: string, claim: Claim): void => {
    claim.streams -= 1;
    // The claim may have been dropped, and made anew, meanwhile.
    if (claim.streams > 0 || claims.get(clientId) !== claim) return;
    if (claim.released) remove(clientId, "let_go");
    else expireAfter(clientId, claim, times?.detachMs);
  };
  return {
    isEmpty: () => claims.size === 0,
    hold: (clientId) => {
      const claim = claimOf(clientId);
      claim.released = false;
      if (claim.streams === 0) expireAfter(clientId, claim, times?.creationMs);
    },
    attach: (clientId) => {
      const claim = claimOf(clientId);
      quieten(claim);
      claim.streams += 1;
      let attached = true;
      return () => {
        if (attached) detach(clientId, claim);
        attached = false;
      };
    },
    release: (clientId) => {
      const claim = claims.get(clientId);
      if (claim !== undefined && claim.streams > 0) claim.released = true;
      else remove(clientId, "let_go");
    },
    drop: (clientId) => remove(clientId, "let_go"),
    clear: () => {
      for (const claim of claims.values()) quieten(claim);
      claims.clear();
    },
  };
}
