import { expect, onTestFinished, test, vi } from "vitest";
import { encodeEvent, type WireEvent } from "../../src/protocol/event-wire.ts";
import { runWords } from "../support/log-events.ts";
import { eventLog, eventsIn, readAll, subscribe } from "../support/read-stream.ts";

const { delta, does, ended, opened } = runWords();
/** A log that keeps its last event, and the terminal ones. */
const tight = () => eventLog({ keepChars: 1 });

const closedLog = (...events: WireEvent[]) => {
  const log = eventLog();
  for (const event of events) log.append(event);
  log.close();
  return log;
};

test("SSE-5: each event is one data line with its cursor as id, and a blank line", async () => {
  const log = closedLog(delta("a"), ended("b"));
  expect(await readAll(subscribe(log))).toBe(
    `id: 1\ndata: ${encodeEvent(delta("a"))}\n\nid: 2\ndata: ${encodeEvent(ended("b"))}\n\n`,
  );
});

test("a reader gets what comes after its cursor", async () => {
  const log = closedLog(delta("a"), delta("b"));
  expect(eventsIn(await readAll(subscribe(log, { after: 1 })))).toEqual([delta("b")]);
});

test("RUN-14, RUN-16, W-5: who lags is told once how much it missed, then gets the terminal events and what is left", async () => {
  const log = tight();
  const slow = subscribe(log);
  const quick = subscribe(log);
  const seen: WireEvent[] = [];
  log.append(delta("first"));
  for (const reader of [slow, quick])
    expect(eventsIn((await reader.next()).value as string)).toEqual([delta("first")]);
  const burst = [
    ended("one"),
    ...Array.from({ length: 50 }, (_, n) => delta(`${n}`)),
    ended("two"),
  ];
  for (const event of burst) {
    // Returns at once: nobody is waited for, however little is read.
    log.append(event);
    seen.push(...eventsIn((await quick.next()).value as string));
  }
  log.close();
  expect(seen).toEqual(burst);
  const late = eventsIn(await readAll(slow));
  expect(late).toEqual([{ type: "gap", missed: 50 }, ended("one"), ended("two")]);
});

test("W-5: who lags so far that terminal events are gone is cut off, and who comes back is told of a gap", async () => {
  const log = eventLog({ keepChars: 1, keepTerminals: 2 });
  const slow = subscribe(log);
  log.append(delta("first"));
  await slow.next();
  for (const run of ["1", "2", "3", "4"]) log.append(runWords(run).ended());
  await expect(slow.next()).rejects.toThrow("too slow");
  expect(await slow.next()).toEqual({ done: true, value: undefined });
  log.close();
  const again = eventsIn(await readAll(subscribe(log, { after: 1 })));
  expect(again.map((event) => ("runId" in event ? event.runId : event.type))).toEqual([
    "gap",
    "2",
    "3",
    "4",
  ]);
});

test("a reader of many events gets them in pieces, and is asked between them", async () => {
  const log = eventLog();
  for (let n = 0; n < 2_500; n += 1) log.append(delta(`${n}`));
  const stream = subscribe(log);
  const sizes: number[] = [];
  for (let n = 0; n < 3; n += 1) sizes.push(eventsIn((await stream.next()).value as string).length);
  expect(sizes).toEqual([1_000, 1_000, 500]);
});

test("events that come while the reader waits are delivered at once", async () => {
  const log = eventLog();
  const stream = subscribe(log);
  const next = stream.next();
  log.append(delta("a"));
  expect(eventsIn((await next).value as string)).toEqual([delta("a")]);
});

test("nothing becomes text that nobody reads", async () => {
  const log = eventLog();
  const stringify = vi.spyOn(JSON, "stringify");
  onTestFinished(() => {
    stringify.mockRestore();
  });
  log.append(opened());
  log.append(delta("a"));
  expect(stringify).not.toHaveBeenCalled();
  await subscribe(log).next();
  // The whole message is no news for who reads deltas.
  expect(stringify).toHaveBeenCalledTimes(1);
});

test.each([true, false])(
  "a quiet stream has a heartbeat every ten seconds (deltas: %s)",
  async (deltas) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 });
    const uptime = vi.spyOn(process, "uptime").mockImplementation(() => Date.now() / 1000);
    onTestFinished(() => {
      uptime.mockRestore();
      vi.useRealTimers();
    });
    const log = eventLog();
    const stream = subscribe(log, { deltas });
    for (let beat = 0; beat < 2; beat += 1) {
      const next = stream.next();
      await vi.advanceTimersByTimeAsync(5_000);
      // News that is none for this reader does not count as a sign of life.
      log.append(deltas ? opened() : does({ type: "tool.progress", callId: "c", bytes: 1 }));
      await vi.advanceTimersByTimeAsync(4_999);
      let isOver = false;
      void next.finally(() => {
        isOver = true;
      });
      await vi.advanceTimersByTimeAsync(0);
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(2);
      expect(await next).toEqual({ done: false, value: ": still here\n\n" });
    }
  },
);

test("SSE-10: a stream ends with its signal", async () => {
  const abort = new AbortController();
  const log = eventLog();
  const reading = readAll(subscribe(log, {}, abort.signal));
  abort.abort();
  expect(await reading).toBe("");
  log.append(delta("late"));
});

test("W-7: a log that is closed is read to its end first", async () => {
  const log = eventLog();
  const busy = subscribe(log);
  const reading = readAll(subscribe(log));
  log.append(delta("a"));
  log.append(ended("a"));
  log.close();
  expect(eventsIn(await reading)).toEqual([delta("a"), ended("a")]);
  // Also for who did not read until then.
  expect(eventsIn(await readAll(busy))).toEqual([delta("a"), ended("a")]);
});

test("SSE-8: two readers get every event", async () => {
  const log = eventLog();
  const readers = [readAll(subscribe(log)), readAll(subscribe(log))];
  log.append(delta("a"));
  log.close();
  expect((await Promise.all(readers)).map(eventsIn)).toEqual([[delta("a")], [delta("a")]]);
});

test("SSE-7: an event that JSON cannot say is skipped, and the stream goes on", async () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const log = closedLog(
    delta("a"),
    { ...delta("b"), text: circle as unknown as string } as WireEvent,
    delta("c"),
  );
  expect(eventsIn(await readAll(subscribe(log)))).toEqual([delta("a"), delta("c")]);
});
