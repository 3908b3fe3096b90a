import { expect, test } from "vitest";
import { domainEvents } from "../../src/client/domain-events.ts";
import { failure } from "../../src/protocol/ending.ts";
import { decodeEvent, encodeEvent, type WireEvent } from "../../src/protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import { END, runWords, textPart } from "../support/log-events.ts";

/** As it arrives from a server. */
function received(event: WireEvent) {
  const decoded = decodeEvent(encodeEvent(event));
  if (decoded === null) throw new Error("not understood");
  return domainEvents(decoded);
}

const sessionId = "S" as SessionId;
const runId = "R" as RunId;

test("SSE-16, CLI-32: an error is a notification with session, title, RunID, type and its text as message, and busy and queue are asked for anew", () => {
  expect(received({ type: "agent_error", runId, sessionId, error: "boom" })).toEqual([
    {
      type: "notification",
      kind: "error",
      sessionId,
      sessionTitle: "",
      runId,
      message: "boom",
      providerId: null,
    },
    { type: "refresh", sessionId },
  ]);
});

test.each([
  ["agent_finished", null],
  ["re_authenticate", "hyper"],
] as const)("SSE-16, SSE-19: %s is a notification and no error", (kind, providerId) => {
  const event: WireEvent = {
    type: "agent_notification",
    kind,
    runId: null,
    sessionId,
    sessionTitle: "a title",
    providerId,
  };
  expect(received(event)).toEqual([
    {
      type: "notification",
      kind,
      sessionId,
      sessionTitle: "a title",
      runId: null,
      message: "",
      providerId,
    },
  ]);
});

test.each([
  [false, null, null],
  [false, failure("provider_error", "boom"), "boom"],
  [true, failure("by_client", "stopped"), "stopped"],
] as const)(
  "SSE-17: a terminal event keeps its six fields and brings nothing else (cancelled: %s, failure: %o)",
  (cancelled, what, error) => {
    const messageId = "M" as MessageId;
    const event: WireEvent = {
      type: "run_complete",
      runId,
      sessionId,
      messageId,
      text: "so far",
      cancelled,
      failure: what,
    };
    expect(received(event)).toEqual([
      { type: "terminal", sessionId, runId, messageId, text: "so far", error, cancelled },
    ]);
  },
);

test("a message is a domain message; what a run does inside is for who reads deltas", () => {
  const { delta, finished } = runWords();
  const event = finished([textPart("hi"), END]);
  expect(received(event)).toEqual([event]);
  expect(received(delta("h"))).toEqual([]);
});

test("after a gap everything that is shown is asked for anew", () => {
  expect(received({ type: "gap", missed: 3 })).toEqual([{ type: "refresh_all" }]);
});
