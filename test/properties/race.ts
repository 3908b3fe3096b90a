import type * as fc from "fast-check";
import { virtualTime, type VirtualTime } from "../support/virtual-time.ts";

/** One schedule: whatever waits here waits for the scheduler to choose it, the passing of time included. */
export interface Race extends Disposable {
  readonly time: VirtualTime;
  /** Resolves when the scheduler says so. */
  turn(label: string): Promise<void>;
  /** Lets the scheduler choose until nothing is left that it could choose. Throws when there is no end to it. */
  drive(): Promise<void>;
  /** What may not happen, and has. */
  readonly broken: string[];
}

/** Choices that one schedule may take; the longest of ours need a few hundred. */
const MOST_CHOICES = 6_000;
const MOST_WALL_MS = 20_000;

export function race(scheduler: fc.Scheduler): Race {
  const time = virtualTime();
  const broken: string[] = [];
  const turn = async (label: string): Promise<void> =>
    await scheduler.schedule(Promise.resolve(), label);
  let timeIsChoice = false;
  const offerTime = (): void => {
    if (timeIsChoice || time.timers() === 0) return;
    timeIsChoice = true;
    void (async () => {
      await turn("time passes");
      timeIsChoice = false;
      time.pass();
    })();
  };
  const onUnhandled = (error: unknown): void => void broken.push(`unhandled: ${String(error)}`);
  process.on("unhandledRejection", onUnhandled);
  return {
    time,
    turn,
    broken,
    drive: async () => {
      const start = performance.now();
      for (let choices = 0; ; choices += 1) {
        await everybodyWaits();
        offerTime();
        if (scheduler.count() === 0 && (await isIdle(scheduler))) return;
        if (choices > MOST_CHOICES || performance.now() - start > MOST_WALL_MS)
          throw new Error(`no end after ${choices} choices (${time.monotonic()} ms of its time)`);
        await scheduler.waitNext(1);
      }
    },
    [Symbol.dispose]: () => {
      process.off("unhandledRejection", onUnhandled);
      time[Symbol.dispose]();
    },
  };
}

/** Some of what goes on without the scheduler goes on a few rounds later. */
async function isIdle(scheduler: fc.Scheduler): Promise<boolean> {
  for (let round = 0; round < 3 && scheduler.count() === 0; round += 1) await everybodyWaits();
  return scheduler.count() === 0;
}

/** All that can go on without the scheduler has gone on. */
const everybodyWaits = async (): Promise<void> =>
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
