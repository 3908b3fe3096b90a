import { setTimeout as delay } from "node:timers/promises";

/** Time as an argument, so that tests own it. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number;
  /** Monotonic milliseconds since an arbitrary start; for durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with `signal.reason` when the signal fires first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * Milliseconds since the start of the process. Not `performance.now()`: the first use of that global loads a module, which a cold
 * start feels.
 */
export const monotonicMs = (): number => process.uptime() * 1000;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: monotonicMs,
  sleep: async (ms, signal) => {
    signal.throwIfAborted();
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};
