import { getEventListeners } from "node:events";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { memoryEventLog, type EventLog, type LogBounds } from "../../src/server/event-log.ts";
import { END, runWords, textPart } from "../support/log-events.ts";

const never = new AbortController().signal;
const ALL = 1_000_000;
const { delta, opened, finished, ended } = runWords();

const bounded = (bounds: Partial<LogBounds>): EventLog =>
  memoryEventLog({
    heaviest: 1_000_000,
    keepChars: 1,
    keepTerminals: 1_000,
    keepTerminalChars: 1_000_000,
    ...bounds,
  });
const roomy = (): EventLog => bounded({ keepChars: 1_000_000 });

/** What one event weighs. */
function weigh(event: WireEvent): number {
  const log = roomy();
  log.append(event);
  return log.read(0, 1).events[0]?.weight ?? 0;
}

/** A log with room for so many of these deltas. */
const roomFor = (deltas: number, keepTerminals = 1_000): EventLog =>
  bounded({ keepChars: deltas * weigh(delta("aa")), keepTerminals });

const eventsAfter = (log: EventLog, after: number): WireEvent[] =>
  log.read(after, ALL).events.map(({ event }) => event);

test("what is appended is read after a cursor, in order, with cursors that grow by one", () => {
  const log = roomy();
  for (const text of ["a", "b", "c"]) log.append(delta(text));
  expect(log.head()).toBe(3);
  const { events, ...missed } = log.read(1, ALL);
  expect(events.map(({ cursor, event }) => [cursor, event])).toEqual([
    [2, delta("b")],
    [3, delta("c")],
  ]);
  expect(missed).toEqual({ missed: 0, lostTerminal: 0 });
  expect(log.read(0, 2).events.map(({ cursor }) => cursor)).toEqual([1, 2]);
  expect(log.read(3, ALL).events).toEqual([]);
});

test("the newest events up to the bound are kept, and a reader of an older one learns how many it missed", () => {
  const log = roomFor(2);
  for (const text of ["aa", "bb", "cc", "dd"]) log.append(delta(text));
  expect(log.read(0, ALL).missed).toBe(2);
  expect(log.read(2, ALL).missed).toBe(0);
  expect(eventsAfter(log, 0)).toEqual([delta("cc"), delta("dd")]);
});

test("an event beyond the bound is kept until the next one", () => {
  const log = roomFor(1);
  const long = delta("much too long".repeat(100));
  log.append(delta("aa"));
  log.append(long);
  expect(eventsAfter(log, 0)).toEqual([long]);
  log.append(delta("bb"));
  expect(eventsAfter(log, 0)).toEqual([delta("bb")]);
});

test("an event as big as the whole log does not drive out what was told with it", () => {
  const log = bounded({ keepChars: 1_000, heaviest: 250 });
  const prompt = finished([textPart("x".repeat(5_000)), END], "u", "user");
  const events = [delta("a"), prompt, delta("b"), delta("c")];
  for (const event of events) log.append(event);
  expect(eventsAfter(log, 0)).toEqual(events);
});

test("the weight of an event follows its texts, wherever they stand in it", () => {
  const long = "x".repeat(10_000);
  for (const event of [delta(long), finished([textPart(long), END]), ended(long)])
    expect(weigh(event)).toBeGreaterThan(10_000);
  expect(weigh(delta("x"))).toBeLessThan(300);
});

test("RUN-16, W-5: terminal events outlive the deltas of their time, in order and with their cursors", () => {
  const log = roomFor(2);
  const [one, two] = [runWords("1"), runWords("2")];
  log.append(one.ended("first"));
  log.append(delta("aa"));
  log.append(two.ended("second"));
  for (let n = 0; n < 10; n += 1) log.append(delta("bb"));
  const read = log.read(0, ALL);
  expect(read.events.map(({ cursor, event }) => [cursor, event])).toEqual([
    [1, one.ended("first")],
    [3, two.ended("second")],
    [12, delta("bb")],
    [13, delta("bb")],
  ]);
  expect(read).toMatchObject({ missed: 9, lostTerminal: 0 });
  // The limit is one for the newest events: what outlived the others is told at once.
  expect(log.read(0, 1).events).toHaveLength(3);
});

test("a reader that missed terminal events and nothing else has missed nothing", () => {
  const log = roomFor(1);
  for (const run of ["1", "2", "3"]) log.append(runWords(run).ended("a".repeat(50)));
  expect(log.read(0, ALL)).toMatchObject({ missed: 0, lostTerminal: 0 });
  expect(log.read(0, ALL).events).toHaveLength(3);
});

test("only so many terminal events are kept, and no more than their weight allows; who missed one learns it", () => {
  const byNumber = roomFor(1, 2);
  for (const run of ["1", "2", "3", "4"]) byNumber.append(runWords(run).ended());
  expect(byNumber.read(0, ALL)).toMatchObject({ missed: 1, lostTerminal: 1 });
  expect(byNumber.read(1, ALL)).toMatchObject({ missed: 0, lostTerminal: 1 });
  expect(byNumber.read(0, ALL).events.map(({ cursor }) => cursor)).toEqual([2, 3, 4]);

  const byWeight = bounded({ keepChars: 3_000, keepTerminalChars: 3_000 });
  for (let n = 0; n < 9; n += 1) byWeight.append(runWords(`${n}`).ended("x".repeat(1_000)));
  expect(byWeight.read(0, ALL).events).toHaveLength(4);
});

test("what a message says so far is known of every place in the log, also when its beginning is dropped", () => {
  const log = roomFor(3);
  const textAt = (cursor: number): unknown =>
    log.openMessages(cursor).get(opened().message.id)?.message.parts;
  log.append(opened());
  for (const text of ["aa", "bb", "cc", "dd", "ee"]) log.append(delta(text));
  expect(log.read(0, ALL).missed).toBe(3);
  expect(textAt(0)).toEqual([textPart("aabb")]);
  expect(textAt(4)).toEqual([textPart("aabbcc")]);
  expect(textAt(6)).toEqual([textPart("aabbccddee")]);
  log.append(finished([textPart("aabbccddee"), END]));
  expect(log.openMessages(log.head()).size).toBe(0);
});

test("what a run left unfinished is forgotten with its end", () => {
  const log = roomy();
  log.append(opened());
  log.append(runWords("other").ended());
  expect(log.openMessages(2).size).toBe(1);
  log.append(ended());
  expect(log.openMessages(3).size).toBe(0);
});

test("whatever is appended, a reader gets all terminal events, a suffix of the rest without holes, and learns what it missed", () => {
  const words = fc.array(fc.tuple(fc.nat(99), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 1_500 }), fc.nat(60), (all, keepChars, reader) => {
      const log = bounded({ keepChars });
      const events = all.map(([length, ends], n) =>
        ends ? runWords(`${n}`).ended() : delta("x".repeat(length)),
      );
      for (const event of events) log.append(event);
      const after = reader % (all.length + 1);
      const read = log.read(after, ALL);
      expect(read.missed).toBe(all.length - after - read.events.length);
      for (const { cursor, event } of read.events) expect(event).toBe(events[cursor - 1]);
      const cursors = read.events.map(({ cursor }) => cursor);
      expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
      const got = new Set(cursors);
      const [first = all.length + 1] = [...got].filter((c) => events[c - 1]?.type === "text.delta");
      const due = Array.from({ length: all.length - after }, (_, n) => after + 1 + n).filter(
        (cursor) => cursor >= first || events[cursor - 1]?.type === "run_complete",
      );
      expect(read.lostTerminal).toBe(0);
      expect(due.filter((cursor) => !got.has(cursor))).toEqual([]);
    }),
  );
});

test("a wait ends when something is appended", async () => {
  const log = roomy();
  const waiting = log.wait(0, 60_000, never);
  log.append(delta("a"));
  await waiting;
  expect(eventsAfter(log, 0)).toEqual([delta("a")]);
});

test("a wait for what is there already is over at once", async () => {
  const log = roomy();
  log.append(delta("a"));
  await log.wait(0, 60_000, never);
  expect.assertions(0);
});

test("a wait is bounded", async () => {
  const log = roomy();
  await log.wait(0, 5, never);
  expect(log.head()).toBe(0);
});

test("a wait ends with its signal, and leaves no listener", async () => {
  const abort = new AbortController();
  const waiting = roomy().wait(0, 60_000, abort.signal);
  abort.abort();
  await waiting;
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
});

test("closing ends every wait, and nothing is appended afterwards", async () => {
  const log = roomy();
  log.append(delta("a"));
  const waiting = [log.wait(1, 60_000, never), log.wait(1, 60_000, never)];
  log.close();
  await Promise.all(waiting);
  log.append(delta("b"));
  expect(eventsAfter(log, 0)).toEqual([delta("a")]);
  expect(log.isClosed()).toBe(true);
});
