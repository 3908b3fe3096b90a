import * as fc from "fast-check";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { END, runWords, textPart } from "../support/log-events.ts";
import { eventLog, eventsIn, subscribe } from "../support/read-stream.ts";
import type { RaceProperty } from "./race-property.ts";

const reader = fc.record({
  /** Reads at once; waits before each read; reads once and then not until all is over; leaves; publishes while it reads. */
  habit: fc.constantFrom("quick", "slow", "full", "closing", "re-entrant"),
  deltas: fc.boolean(),
  /** After so many reads the closing one leaves. */
  patience: fc.nat(3),
});
type Reader = typeof reader extends fc.Arbitrary<infer T> ? T : never;

/** What a run says before its end. */
const run = fc.array(fc.string({ maxLength: 30 }), { maxLength: 6 });

interface Keep {
  readonly keepChars: number;
  readonly keepTerminals: number;
}
const ROOMY = 100_000;
const bounds: fc.Arbitrary<Keep> = fc.record({
  keepChars: fc.constantFrom(1, 500, ROOMY),
  keepTerminals: fc.constantFrom(1, 3, 1_000),
});

/** No schedule takes longer, unless somebody waits for a reader. */
const MOST_MS = 10_000;

export const p15: RaceProperty = {
  id: "P-15",
  title:
    "a publisher waits for no subscriber, none disturbs another, and each gets every terminal event of its time or is cut off",
  property: () =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.array(run, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      fc.array(reader, { minLength: 1, maxLength: 5 }),
      bounds,
      async (scheduler, publishers, readers, keep) => {
        const world = pipe(scheduler, keep);
        const reading = readers.map(async (one, n) => await world.read(one, n));
        const publishing = publishers.map(async (runs, n) => await world.publish(runs, n));
        const over = (async () => {
          await Promise.all(publishing);
          await world.turn("close");
          await world.quickAreUpToDate();
          world.close();
          await Promise.all(reading);
        })();
        await orAborted(scheduler.waitFor(over), AbortSignal.timeout(MOST_MS));
      },
    ),
};

/** One event pipe with whoever writes and reads it; each step of theirs waits for the scheduler. */
function pipe(scheduler: fc.Scheduler, keep: Keep) {
  const log = eventLog(keep);
  const logged: WireEvent[] = [];
  const lagging: (() => boolean)[] = [];
  let isPublishing = false;
  let close = (): void => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const turn = async (label: string): Promise<void> =>
    await scheduler.schedule(Promise.resolve(), label);

  const append = (event: WireEvent): void => {
    isPublishing = true;
    log.append(event);
    isPublishing = false;
    if (log.head() > logged.length) logged.push(event);
  };

  const publish = async (runs: readonly (readonly string[])[], n: number): Promise<void> => {
    for (const [index, texts] of runs.entries()) {
      const words = runWords(`${n}.${index}`, `session ${n}`);
      const id = `message ${n}.${index}`;
      const events = [
        words.opened(id),
        ...texts.map((text) => words.delta(text, id)),
        words.finished([textPart(texts.join("")), END], id),
        words.ended(texts.join("")),
      ];
      for (const event of events) {
        await turn(`publish ${n}`);
        append(event);
      }
    }
  };

  const read = async ({ habit, deltas, patience }: Reader, n: number): Promise<void> => {
    await turn(`subscribe ${n}`);
    const after = log.head();
    const abort = new AbortController();
    const stream = subscribe(log, { after, deltas }, abort.signal);
    const seen: WireEvent[] = [];
    let wasCutOff = false;
    const due = (): string[] => terminals(logged.slice(after));
    if (habit === "quick")
      lagging.push(() => !wasCutOff && terminals(seen).join() !== due().join());
    for (let reads = 0; ; reads += 1) {
      if (habit === "slow") await turn(`read ${n}`);
      if (habit === "full" && reads === 1) await closed;
      if (habit === "closing" && reads === patience) abort.abort();
      const next = await stream.next().catch(() => {
        wasCutOff = true;
        return { done: true, value: "" };
      });
      if (isPublishing) throw new Error("a subscriber ran inside a publish");
      if (next.done === true) break;
      if (abort.signal.aborted) throw new Error(`reader ${n} was told something after it left`);
      const events = eventsIn(next.value);
      seen.push(...events);
      const again = events.filter(({ type }) => type === "run_complete");
      if (habit === "re-entrant" && reads < 2)
        for (const _ of again) append(runWords(`again ${n}`, `session of ${n}`).ended());
    }
    const all = due();
    const got = terminals(seen);
    // Whoever left, or was cut off, has what came until then: nothing twice, no hole.
    const expected = habit === "closing" || wasCutOff ? all.slice(0, got.length) : all;
    if (JSON.stringify(got) !== JSON.stringify(expected))
      throw new Error(`reader ${n} (${habit}) got ${got.join()} of ${all.join()}`);
    if (wasCutOff && all.length <= keep.keepTerminals)
      throw new Error(`reader ${n} (${habit}) was cut off, and nothing was lost`);
    if (keep.keepChars === ROOMY && seen.some(({ type }) => type === "gap"))
      throw new Error(`reader ${n} (${habit}) was told of a gap that is none`);
  };

  return {
    turn,
    publish,
    read,
    /** Whoever does nothing but read has everything as soon as nobody else has anything to do. */
    quickAreUpToDate: async (): Promise<void> => {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      if (lagging.some((isLagging) => isLagging())) throw new Error("a quick reader was not told");
    },
    close: () => {
      log.close();
      close();
    },
  };
}

const terminals = (events: readonly WireEvent[]): string[] =>
  events.flatMap((event) => (event.type === "run_complete" ? [event.runId ?? ""] : []));
