import * as fc from "fast-check";
import { expect, test } from "vitest";
import { failure } from "../../src/protocol/ending.ts";
import { decodeEvent, encodeEvent, type WireEvent } from "../../src/protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { Message } from "../../src/protocol/message.ts";
import type { RunComplete } from "../../src/protocol/run-event.ts";
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

const ENDED: RunComplete = {
  type: "run_complete",
  runId: "run-42" as RunId,
  sessionId: "S" as SessionId,
  messageId: "M" as MessageId,
  text: "done",
  cancelled: false,
  failure: null,
};

test("SSE-1: a terminal event keeps its fields on the wire, under its type, as an update", () => {
  const line = encodeEvent(ENDED);
  expect(JSON.parse(line)).toEqual({
    type: "run_complete",
    payload: {
      type: "updated",
      // Neither error nor cancel, as old clients expect of a run that ended well.
      payload: { session_id: "S", run_id: "run-42", message_id: "M", text: "done" },
    },
  });
  expect(decodeEvent(line)).toEqual(ENDED);
});

test("SSE-2: error and cancel of a terminal event survive the wire", () => {
  const failed = failure("by_client", "stopped by a client");
  const event = { ...ENDED, cancelled: true, failure: failed, cancelledBy: "c-2" };
  const line = encodeEvent(event);
  expect(payloadOf(line)).toMatchObject({
    error: "stopped by a client",
    cancelled: true,
    cancel_reason: "by_client",
    cancelled_by: "c-2",
  });
  expect(decodeEvent(line)).toEqual(event);
});

test("SSE-3: an error notification keeps session, RunID and text on the wire, as something new", () => {
  const event: WireEvent = {
    type: "agent_error",
    runId: "run-99",
    sessionId: "S",
    error: "boom",
  };
  const line = encodeEvent(event);
  expect(JSON.parse(line)).toMatchObject({
    type: "agent_event",
    payload: {
      type: "created",
      payload: { type: "error", session_id: "S", run_id: "run-99", error: "boom" },
    },
  });
  expect(decodeEvent(line)).toEqual(event);
});

test.each(["agent_finished", "re_authenticate"] as const)(
  "SSE-4, SSE-19: the notification %s keeps its type, session, title, RunID and provider, and is no error",
  (kind) => {
    const event: WireEvent = {
      type: "agent_notification",
      kind,
      runId: "r" as RunId,
      sessionId: "S" as SessionId,
      sessionTitle: "a title",
      providerId: "hyper",
    };
    const line = encodeEvent(event);
    const payload = payloadOf(line);
    expect(payload).toMatchObject({
      type: kind,
      session_id: "S",
      session_title: "a title",
      run_id: "r",
      provider_id: "hyper",
    });
    expect(payload).not.toHaveProperty("error");
    expect(decodeEvent(line)).toEqual(event);
  },
);

test("a notification that we do not know is skipped", () => {
  const payload = { type: "aws_sso_auth", session_id: "S", message: {} };
  const line = JSON.stringify({ type: "agent_event", payload: { type: "created", payload } });
  expect(decodeEvent(line)).toBeNull();
});

test("SSE-12: an error notification without a text is an error all the same", () => {
  const event: WireEvent = { type: "agent_error", runId: null, sessionId: "S", error: "" };
  expect(decodeEvent(encodeEvent(event))).toEqual({ ...event, error: "unknown error" });
});

test("a message keeps its whole content on the wire, with the RunID of its run", () => {
  const message: Message = {
    id: "M" as MessageId,
    sessionId: "S" as SessionId,
    role: "assistant",
    parts: [
      { type: "reasoning", thinking: "hm" },
      { type: "text", text: "Hel" },
    ],
    model: "m",
    provider: "p",
    createdAt: 1,
    updatedAt: 2,
  };
  const event: WireEvent = {
    type: "message",
    lifecycle: "updated",
    runId: "r" as RunId,
    sessionId: message.sessionId,
    message,
  };
  const line = encodeEvent(event);
  expect(JSON.parse(line)).toEqual({
    type: "message",
    payload: {
      type: "updated",
      payload: {
        parts: [
          { type: "reasoning", data: { thinking: "hm", signature: "" } },
          { type: "text", data: { text: "Hel" } },
        ],
        id: "M",
        role: "assistant",
        session_id: "S",
        model: "m",
        provider: "p",
        created_at: 1,
        updated_at: 2,
        run_id: "r",
      },
    },
  });
  expect(decodeEvent(line)).toEqual(event);
});

test("of a message from elsewhere the parts that we do not know are left out", () => {
  const parts = [
    { type: "shell_command", data: { command: "ls" } },
    { type: "text", data: { text: "hi" } },
    { type: "finish", data: { reason: "tired", time: "now" } },
    7,
  ];
  const payload = { parts, id: "M", role: "assistant", session_id: "S" };
  const line = JSON.stringify({ type: "message", payload: { type: "created", payload } });
  expect(decodeEvent(line)).toMatchObject({
    lifecycle: "created",
    runId: null,
    message: {
      parts: [
        { type: "text", text: "hi" },
        { type: "finish", reason: "unknown", time: 0 },
      ],
    },
  });
});

test.each([
  ["no id", { parts: [], role: "user", session_id: "S" }],
  ["an unknown role", { parts: [], id: "M", role: "owner", session_id: "S" }],
  ["parts that are none", { parts: null, id: "M", role: "user", session_id: "S" }],
])("SSE-15: a message with %s is skipped", (_what, payload) => {
  const line = JSON.stringify({ type: "message", payload: { type: "created", payload } });
  expect(decodeEvent(line)).toBeNull();
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
