import type { Clock } from "../../src/shared/clock.ts";

/** Time that passes only when it is told to. Until its end, every `setTimeout` of this thread is one of its timers. */
export interface VirtualTime extends Clock, Disposable {
  /** How many timers are set. */
  timers(): number;
  /** Goes on to the earliest timer and fires it; nothing when there is none. */
  pass(): void;
  /** Time that somebody spends without letting anybody else do anything. */
  spend(ms: number): void;
}

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

const EPOCH = 1_700_000_000_000;

export function virtualTime(): VirtualTime {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  const timers = new Set<Timer>();
  let now = 0;
  const set = (fire: () => void, ms: number): Timer => {
    const timer = { due: now + Math.max(1, ms), fire };
    timers.add(timer);
    return timer;
  };
  const patch = {
    setTimeout: (work: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) =>
      set(() => work(...given), ms),
    clearTimeout: (timer: unknown) => void timers.delete(timer as Timer),
  };
  Object.assign(globalThis, patch);
  return {
    now: () => EPOCH + now,
    monotonic: () => now,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      let onAbort = (): void => {};
      let timer: Timer | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          timer = set(resolve, ms);
          onAbort = () => reject(signal.reason as Error);
          signal.addEventListener("abort", onAbort, { once: true });
        });
      } finally {
        if (timer !== undefined) timers.delete(timer);
        signal.removeEventListener("abort", onAbort);
      }
    },
    timers: () => timers.size,
    pass: () => {
      const [next] = [...timers].toSorted((a, b) => a.due - b.due);
      if (next === undefined) return;
      timers.delete(next);
      now = Math.max(now, next.due);
      next.fire();
    },
    spend: (ms) => {
      now += ms;
    },
    [Symbol.dispose]: () => void Object.assign(globalThis, real),
  };
}
