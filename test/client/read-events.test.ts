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
