import type { Clock } from "../../src/shared/clock.ts";

export interface HandClock extends Clock {
  /** What was slept, in order. */
  readonly sleeps: number[];
  advance(ms: number): void;
}

/** A clock that stands still; a sleep is over at once and moves it on. */
export function handClock(start = 1_700_000_000_000): HandClock {
  let now = start;
  const sleeps: number[] = [];
  return {
    sleeps,
    advance: (ms) => {
      now += ms;
    },
    now: () => now,
    monotonic: () => now - start,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      sleeps.push(ms);
      now += ms;
    },
  };
}
