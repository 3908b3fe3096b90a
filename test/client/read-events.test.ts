import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents } from "../../src/client/read-events.ts";
import { encodeEvent, type WireEvent } from "../../src/protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";

const says = (text: string): WireEvent => ({
  type: "text.delta",
  runId: "r" as RunId,
  sessionId: "s" as SessionId,
  messageId: "m" as MessageId,
  text,
});

const frame = (event: WireEvent): string => `data: ${encodeEvent(event)}\n\n`;

async function* chunks(all: readonly (Uint8Array | string)[]): AsyncIterable<Uint8Array | string> {
  yield* all;
}

async function read(...all: (Uint8Array | string)[]): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for await (const event of readEvents(chunks(all))) events.push(event);
  return events;
}

test("events come in order, whatever stands between them", async () => {
  const stream = `: hello\n\nid: 4\n${frame(says("a"))}event: x\r\n: beat\r\n\r\n${frame(says("b"))}`;
  expect(await read(stream)).toEqual([says("a"), says("b")]);
});

test.each([
  ["a line that is no JSON", "data: {oops\n\n"],
  [
    "an unknown payload type",
    'data: {"type":"lsp_event","payload":{"type":"updated","payload":{}}}\n\n',
  ],
  ["an envelope without a payload", 'data: {"type":"run_complete"}\n\n'],
  [
    "a malformed inner payload",
    'data: {"type":"run_complete","payload":{"payload":{"text":7}}}\n\n',
  ],
  [
    "an unknown event of a run",
    'data: {"type":"run_event","payload":{"payload":{"type":"new"}}}\n\n',
  ],
  ["a number", "data: 7\n\n"],
  ["an empty line of data", "data:\n\n"],
])("SSE-15: %s is skipped", async (_what, malformed) => {
  expect(await read(frame(says("a")), malformed, frame(says("b")))).toEqual([says("a"), says("b")]);
});

test("an event that the stream did not finish is none", async () => {
  expect(await read(frame(says("a")), frame(says("b")).slice(0, -1))).toEqual([says("a")]);
});

test("however the bytes are cut, the events are the same", async () => {
  const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "\n", "é", "🙂", "\u2028") }), {
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(texts, fc.array(fc.nat(), { maxLength: 8 }), async (all, cuts) => {
      const events = all.map(says);
      const bytes = Buffer.from(events.map(frame).join(""));
      const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
      const pieces = [...places, bytes.length].map((place, index) =>
        bytes.subarray(places[index - 1] ?? 0, place),
      );
      expect(await read(...pieces)).toEqual(events);
    }),
  );
});

test("leaving early ends the body", async () => {
  let ended = false;
  async function* body(): AsyncIterable<string> {
    try {
      for (;;) yield frame(says("x"));
    } finally {
      ended = true;
    }
  }
  for await (const event of readEvents(body())) {
    expect(event).toEqual(says("x"));
    break;
  }
  expect(ended).toBe(true);
});

test("W-34: a read error ends the stream with that error, and the broken body is not read again", async () => {
  const broken = new Error("ECONNRESET");
  let reads = 0;
  const body: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        reads += 1;
        if (reads === 1) return { done: false, value: frame(says("a")) };
        throw broken;
      },
    }),
  };
  const events = readEvents(body)[Symbol.asyncIterator]();
  expect(await events.next()).toEqual({ done: false, value: says("a") });
  await expect(events.next()).rejects.toBe(broken);
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(reads).toBe(2);
});

test("SSE-18: notifications and terminal events are decoded, what the reference also sends is skipped", async () => {
  const terminal = 'data: {"type":"run_complete","payload":{"type":"updated","payload":';
  const error = 'data: {"type":"agent_event","payload":{"type":"created","payload":';
  const stream = [
    'data: {"type":"session","payload":{"type":"updated","payload":{"id":"s"}}}\n\n',
    `${error}{"type":"error","error":"boom","run_id":"r","session_id":"s","message":{}}}}\n\n`,
    'data: {"type":"permission_request","payload":{"type":"created","payload":{}}}\n\n',
    `${terminal}{"session_id":"s","run_id":"r","message_id":"m","text":"ok"}}}\n\n`,
  ];
  expect(await read(...stream)).toEqual([
    { type: "agent_error", runId: "r", sessionId: "s", error: "boom" },
    {
      type: "run_complete",
      runId: "r",
      sessionId: "s",
      messageId: "m",
      text: "ok",
      cancelled: false,
      failure: null,
    },
  ]);
});
