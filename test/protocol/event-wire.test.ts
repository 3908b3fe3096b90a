import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeEvent, encodeEvent } from "../../src/protocol/event-wire.ts";
import { isJsonObject, type Json } from "../../src/shared/json.ts";
import { wireEvent } from "../support/arbitrary.ts";

test("an event is the same after the wire, and one line on it", () => {
  fc.assert(
    fc.property(wireEvent, (event) => {
      const line = encodeEvent(event);
      expect(line).not.toMatch(/[\n\r]/);
      expect(decodeEvent(line)).toEqual(event);
    }),
  );
});

test("what is not an event of ours is skipped, whatever it is", () => {
  const almost = fc.record({
    type: fc.constantFrom("run_event", "run_complete", "agent_event", "message", "lsp_event"),
    payload: fc.record({ type: fc.string(), payload: fc.jsonValue() }),
  });
  const other = fc.oneof(
    fc.string(),
    fc.json(),
    almost.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(other, (line) => {
      const event = decodeEvent(line);
      // Whatever is understood must be an event that could have been sent.
      const again = event === null ? null : decodeEvent(encodeEvent(event));
      expect(again).toEqual(event);
    }),
  );
});

test("an event with a field of a wrong type is skipped", () => {
  const line = encodeEvent({
    type: "run.queued",
    runId: null,
    sessionId: "s" as never,
    ahead: 1,
  });
  expect(decodeEvent(line)).not.toBeNull();
  expect(decodeEvent(line.replace('"ahead":1', '"ahead":"1"'))).toBeNull();
});

test("a run that ended well names neither error nor cancel, as old clients expect", () => {
  const payload = payloadOf(
    encodeEvent({
      type: "run_complete",
      runId: "r" as never,
      sessionId: "s" as never,
      messageId: "m" as never,
      text: "done",
      cancelled: false,
      failure: null,
    }),
  );
  expect(payload).toEqual({ session_id: "s", run_id: "r", message_id: "m", text: "done" });
});

test("the terminal event of a server without our fields is understood", () => {
  const payload = { session_id: "s", run_id: "r", error: "rate limited", cancelled: true };
  const line = JSON.stringify({ type: "run_complete", payload: { type: "updated", payload } });
  expect(decodeEvent(line)).toEqual({
    type: "run_complete",
    runId: "r",
    sessionId: "s",
    messageId: null,
    text: "",
    cancelled: true,
    failure: {
      reason: "provider_error",
      message: "rate limited",
      remedy: null,
      httpStatus: null,
      provider: null,
    },
  });
});

function payloadOf(line: string): Json {
  const outer = JSON.parse(line) as { payload: { payload: Json } };
  expect(isJsonObject(outer.payload)).toBe(true);
  return outer.payload.payload;
}
