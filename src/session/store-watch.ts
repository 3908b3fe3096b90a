import type { SessionId } from "../protocol/ids.ts";
import type { Store } from "../store/store.ts";

export interface StoreWatch extends Disposable {
  /** There is something to wait for: start looking. */
  wake(): void;
}

interface WatchOptions {
  readonly store: Store;
  /** Sessions with something of ours that is not at its end. */
  readonly waiting: () => readonly SessionId[];
  /** Something of this session waits for the store itself. */
  readonly isStuck: (sessionId: SessionId) => boolean;
  readonly look: (sessionId: SessionId) => void;
  readonly settledElsewhere: () => void;
}

const POLL_MS = 50;
/** Death changes no data: look for it every so often. */
const LIVENESS_POLLS = 10;

/**
 * How processes learn of each other: `PRAGMA data_version` every 50 ms, only while something of ours waits or runs. A
 * failing look is left to the next one: the prompts' own limits bound the wait.
 */
export function watchStore(options: WatchOptions): StoreWatch {
  const { store } = options;
  let timer: NodeJS.Timeout | null = null;
  let version = store.dataVersion();
  let polls = 0;
  /** One that cannot be looked at keeps no other waiting. */
  const lookAt = (sessionId: SessionId, changed: boolean): "done" | "failed" => {
    try {
      const wanted = changed || options.isStuck(sessionId);
      if (wanted || hasForeignPrompts(store, sessionId)) options.look(sessionId);
      return "done";
    } catch {
      return "failed";
    }
  };
  const poll = (): void => {
    timer = null;
    const sessions = new Set(options.waiting());
    if (sessions.size === 0) return;
    timer = setTimeout(poll, POLL_MS);
    polls += 1;
    try {
      const now = store.dataVersion();
      const changed = now !== version;
      if (!changed && polls % LIVENESS_POLLS !== 0) return;
      options.settledElsewhere();
      const looks = [...sessions].map((sessionId) => lookAt(sessionId, changed));
      if (!looks.includes("failed")) version = now; // not before: a look that failed has not seen it
    } catch {
      // A busy or failing store: the next poll looks again.
    }
  };
  return {
    wake: () => {
      if (timer === null) timer = setTimeout(poll, POLL_MS);
    },
    [Symbol.dispose]: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

const hasForeignPrompts = (store: Store, sessionId: SessionId): boolean =>
  store.runs.open(sessionId).some(({ owner }) => owner !== store.ownerId);
