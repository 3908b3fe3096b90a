import { getEventListeners } from "node:events";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryEventLog } from "../../src/server/event-log.ts";

const never = new AbortController().signal;
const filled = (keepChars: number, ...lines: string[]) => {
  const log = memoryEventLog(keepChars);
  for (const line of lines) log.append(line);
  return log;
};
const linesOf = (log: ReturnType<typeof memoryEventLog>, after: number): string[] =>
  log.read(after).events.map(({ line }) => line);

test("what is appended is read after a cursor, in order, with cursors that grow by one", () => {
  const log = filled(100, "a", "b", "c");
  expect(log.head()).toBe(3);
  expect(log.read(1)).toEqual({
    events: [
      { cursor: 2, line: "b" },
      { cursor: 3, line: "c" },
    ],
    gap: false,
  });
  expect(log.read(3)).toEqual({ events: [], gap: false });
});

test("the newest events up to the bound are kept, and a reader of an older one is told of the gap", () => {
  const log = filled(4, "aa", "bb", "cc");
  expect(log.read(0)).toMatchObject({ gap: true });
  expect(log.read(1)).toMatchObject({ gap: false });
  expect(linesOf(log, 0)).toEqual(["bb", "cc"]);
});

test("an event beyond the bound is kept until the next one", () => {
  const log = filled(3, "a", "much too long");
  expect(linesOf(log, 0)).toEqual(["much too long"]);
  log.append("b");
  expect(linesOf(log, 0)).toEqual(["b"]);
});

test("whatever is appended, a reader gets a suffix without holes, and a gap when it missed something", () => {
  const lengths = fc.array(fc.nat(9), { maxLength: 60 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 40 }), fc.nat(60), (all, keep, reader) => {
      const log = filled(keep, ...all.map((length) => "x".repeat(length)));
      const after = reader % (all.length + 1);
      const { events, gap } = log.read(after);
      const cursors = events.map(({ cursor }) => cursor);
      const first = cursors[0] ?? all.length + 1;
      expect(cursors).toEqual(cursors.map((_, index) => first + index));
      expect(first + cursors.length - 1).toBe(all.length);
      expect(gap).toBe(first > after + 1);
      const kept = linesOf(log, 0).reduce((sum, line) => sum + line.length, 0);
      expect(kept <= keep || linesOf(log, 0).length === 1).toBe(true);
    }),
  );
});

test("a wait ends when something is appended", async () => {
  const log = memoryEventLog(10);
  const waiting = log.wait(0, 60_000, never);
  log.append("a");
  await waiting;
  expect(linesOf(log, 0)).toEqual(["a"]);
});

test("a wait for what is there already is over at once", async () => {
  await filled(10, "a").wait(0, 60_000, never);
  expect.assertions(0);
});

test("a wait is bounded", async () => {
  const log = memoryEventLog(10);
  await log.wait(0, 5, never);
  expect(log.head()).toBe(0);
});

test("a wait ends with its signal, and leaves no listener", async () => {
  const abort = new AbortController();
  const waiting = memoryEventLog(10).wait(0, 60_000, abort.signal);
  abort.abort();
  await waiting;
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
});

test("closing ends every wait, and nothing is appended afterwards", async () => {
  const log = filled(10, "a");
  const waiting = [log.wait(1, 60_000, never), log.wait(1, 60_000, never)];
  log.close();
  await Promise.all(waiting);
  log.append("b");
  expect(linesOf(log, 0)).toEqual(["a"]);
  expect(log.isClosed()).toBe(true);
});
