import { expect, onTestFinished, test, vi } from "vitest";
import { memoryEventLog } from "../../src/server/event-log.ts";
import { eventStream } from "../../src/server/event-stream.ts";

const never = new AbortController().signal;

async function all(stream: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

test("SSE-5: each event is one data line with its cursor as id, and a blank line", async () => {
  const log = memoryEventLog(100);
  log.append('{"a":1}');
  log.append('{"b":2}');
  log.close();
  expect(await all(eventStream(log, 0, never))).toBe(
    'id: 1\ndata: {"a":1}\n\nid: 2\ndata: {"b":2}\n\n',
  );
});

test("a reader gets what comes after its cursor", async () => {
  const log = memoryEventLog(100);
  log.append("1");
  log.append("2");
  log.close();
  expect(await all(eventStream(log, 1, never))).toBe("id: 2\ndata: 2\n\n");
});

test("a reader that fell behind is told of the gap, and goes on with what is left", async () => {
  const log = memoryEventLog(2);
  for (const line of ["a", "b", "c"]) log.append(line);
  log.close();
  expect(await all(eventStream(log, 0, never))).toBe(
    'data: {"type":"gap","payload":{"type":"created","payload":{}}}\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n',
  );
});

test("events that come while the reader waits are delivered at once", async () => {
  const log = memoryEventLog(100);
  const stream = eventStream(log, 0, never)[Symbol.asyncIterator]();
  const next = stream.next();
  log.append("a");
  expect(await next).toEqual({ done: false, value: "id: 1\ndata: a\n\n" });
});

test("a quiet stream has a heartbeat every ten seconds", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const stream = eventStream(memoryEventLog(100), 0, never)[Symbol.asyncIterator]();
  const next = stream.next();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await next).toEqual({ done: false, value: ": still here\n\n" });
});

test("SSE-10: a stream ends with its signal", async () => {
  const abort = new AbortController();
  const log = memoryEventLog(100);
  const reading = all(eventStream(log, 0, abort.signal));
  abort.abort();
  expect(await reading).toBe("");
  log.append("late");
});

test("a log that is closed is read to its end first", async () => {
  const log = memoryEventLog(100);
  const reading = all(eventStream(log, 0, never));
  log.append("a");
  log.append("b");
  log.close();
  expect(await reading).toBe("id: 1\ndata: a\n\nid: 2\ndata: b\n\n");
});

test("SSE-8: two readers get every event", async () => {
  const log = memoryEventLog(100);
  const readers = [all(eventStream(log, 0, never)), all(eventStream(log, 0, never))];
  log.append("a");
  log.close();
  expect(await Promise.all(readers)).toEqual(["id: 1\ndata: a\n\n", "id: 1\ndata: a\n\n"]);
});
