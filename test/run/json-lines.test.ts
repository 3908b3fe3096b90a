import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import type { RunEvent } from "../../src/protocol/run-event.ts";
import { hear, NOTHING_HEARD, type Heard } from "../../src/run/heard.ts";
import { itemOf, jsonLine, lineOf, resultLine } from "../../src/run/json-lines.ts";
import { wireEvent } from "../support/arbitrary.ts";
import { runId, says, sessionId } from "../support/followed-run.ts";

const ids = { runId: "run" as RunId, sessionId: "s" as SessionId };
const stamp = { seq: 7, at: Date.UTC(2026, 0, 2, 3, 4, 5, 6) };
const HEAD = ["schema_version", "seq", "ts", "type", "run_id", "session_id"];

/** Not of a run, or without a line of their own. */
const OTHER = new Set<string>([
  "run_complete",
  "agent_error",
  "agent_notification",
  "message",
  "gap",
  "run.started",
  "tool.progress",
]);
const told = wireEvent.filter(({ type }) => !OTHER.has(type)) as fc.Arbitrary<RunEvent>;

test("every event is one line that any reader of lines and JSON gets back, headed by number, time, type and ids", () => {
  fc.assert(
    fc.property(told, (event) => {
      const { type, fields } = itemOf(event) ?? { type: "none", fields: {} };
      const line = lineOf({ type, fields }, ids, stamp);
      expect(line.endsWith("\n")).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      const read = JSON.parse(line) as Record<string, unknown>;
      expect(Object.keys(read)).toEqual([...HEAD, ...Object.keys(fields)]);
      expect(read).toEqual({
        schema_version: 1,
        seq: 7,
        ts: "2026-01-02T03:04:05.006Z",
        type: event.type,
        run_id: "run",
        session_id: "s",
        ...fields,
      });
      const given = Object.keys(event).filter(
        (key) => !["type", "runId", "sessionId"].includes(key),
      );
      expect(Object.keys(fields).map((key) => key.replaceAll("_", ""))).toEqual(
        given.map((key) => key.toLowerCase()),
      );
    }),
  );
});

test("what has a line of its own, or says nothing, is no item", () => {
  expect(itemOf({ type: "run.started", runId, sessionId, model: "fake/one" })).toBeNull();
  expect(itemOf({ type: "tool.progress", runId, sessionId, callId: "c", bytes: 1 })).toBeNull();
});

test("the fields of an event are those of the wire", () => {
  const retry: RunEvent = {
    type: "retry",
    runId,
    sessionId,
    attempt: 1,
    max: 4,
    waitMs: 500,
    cause: "HTTP 429",
    httpStatus: 429,
  };
  const item = itemOf(retry);
  expect(item).toEqual({
    type: "retry",
    fields: { attempt: 1, max: 4, wait_ms: 500, cause: "HTTP 429", http_status: 429 },
  });
});

test("a document is one line for every reader, and the same document for a reader of JSON", () => {
  const text = "a\nb\u0085c\u2028d\u009b31me\u007f\ud800";
  const line = jsonLine({ text });
  expect(line).toBe(String.raw`{"text":"a\nb\u0085c\u2028d\u009b31me\u007f\ud800"}` + "\n");
  expect(JSON.parse(line)).toEqual({ text });
  expect(JSON.parse(resultLine({ type: "run.result", text }, stamp))).toMatchObject({
    seq: 7,
    type: "run.result",
    text,
  });
});

const after = (events: readonly RunEvent[]): Heard =>
  events.reduce((heard, event, at) => hear(heard, event, 100 + at), NOTHING_HEARD);

const own = (event: object): RunEvent => ({ ...event, runId, sessionId }) as RunEvent;
const starts = (n: number): RunEvent =>
  own({ type: "step.started", n, model: `fake/${n}`, messageId: `m${n}` });

test("what is heard: the first request, the first token, and the text of the last message", () => {
  const first = own({ type: "text.delta", messageId: "m1", text: "one " });
  const more = own({ type: "text.delta", messageId: "m1", text: "two" });
  expect(after([starts(1), first, more])).toEqual({
    model: "fake/1",
    messageId: "m1",
    text: "one two",
    firstRequestAfterMs: 100,
    firstTokenAfterMs: 101,
  });
  const withdrawn = own({ type: "text.reset", messageId: "m1" });
  expect(after([starts(1), first, withdrawn, more])).toMatchObject({ text: "two" });
  expect(after([starts(1), first, starts(2)])).toMatchObject({ text: "", model: "fake/2" });
  const whole = own({ type: "message.completed", messageId: "m1", text: "all of it" });
  expect(after([starts(1), first, whole])).toMatchObject({ text: "all of it" });
});

test("thinking and a tool call are the first token as much as text is", () => {
  const thinks = own({ type: "reasoning.delta", messageId: "m1", text: "Hm" });
  expect(after([starts(1), thinks, says("a")])).toMatchObject({ firstTokenAfterMs: 101 });
  const calls = own({ type: "tool.started", callId: "c", name: "ls", input: "{}" });
  expect(after([starts(1), calls])).toMatchObject({ firstTokenAfterMs: 101 });
});
