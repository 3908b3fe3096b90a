import { expect, test } from "vitest";
import { failure } from "../../src/protocol/ending.ts";
import { decodeErrorBody, encodeErrorBody } from "../../src/protocol/error-body.ts";
import type { Message } from "../../src/protocol/message.ts";
import { textOf } from "../../src/protocol/message.ts";
import { encodeMessage } from "../../src/protocol/message-wire.ts";
import { limitsOf, runOptionsSchema } from "../../src/protocol/run-options.ts";
import { abortOf, RunAborted } from "../../src/protocol/run-aborted.ts";
import { decodeSessionRef, encodeSession } from "../../src/protocol/session.ts";
import { addUsage, NO_USAGE } from "../../src/protocol/usage.ts";

const MESSAGE: Message = {
  id: "m" as Message["id"],
  sessionId: "s" as Message["sessionId"],
  role: "assistant",
  parts: [
    { type: "reasoning", thinking: "hm", startedAt: 1, providerMetadata: { a: { secret: "x" } } },
    { type: "text", text: "one ", providerMetadata: { a: { item: "i" } } },
    { type: "tool_call", id: "c", name: "ls", input: "{}", finished: true },
    {
      type: "tool_result",
      toolCallId: "c",
      name: "ls",
      content: "a",
      isError: false,
      metadata: "",
    },
    { type: "text", text: "two" },
    { type: "finish", reason: "end_turn", time: 2 },
  ],
  model: "gpt",
  provider: "openai",
  createdAt: 1,
  updatedAt: 2,
};

test("a message is sent as typed parts, without what only its provider may see again", () => {
  expect(encodeMessage(MESSAGE)).toEqual({
    parts: [
      { type: "reasoning", data: { thinking: "hm", signature: "", started_at: 1 } },
      { type: "text", data: { text: "one " } },
      { type: "tool_call", data: { id: "c", name: "ls", input: "{}", finished: true } },
      {
        type: "tool_result",
        data: { tool_call_id: "c", name: "ls", content: "a", metadata: "", is_error: false },
      },
      { type: "text", data: { text: "two" } },
      { type: "finish", data: { reason: "end_turn", time: 2 } },
    ],
    id: "m",
    role: "assistant",
    session_id: "s",
    model: "gpt",
    provider: "openai",
    created_at: 1,
    updated_at: 2,
  });
  expect(textOf(MESSAGE)).toBe("one two");
});

test("a refusal keeps its reason and remedy on the wire, and a stranger's is told by its status", () => {
  const what = failure("unknown_session", "there is no session x", { remedy: "start one" });
  expect(decodeErrorBody(404, JSON.stringify(encodeErrorBody(what)))).toEqual(what);
  expect(decodeErrorBody(503, "<html>")).toEqual(
    failure("internal", "the server answered with status code 503", { httpStatus: 503 }),
  );
  // A server may not talk us into a success.
  expect(decodeErrorBody(400, '{"message":"no","code":"end_turn"}')).toMatchObject({
    reason: "usage",
    message: "the server answered with status code 400: no",
  });
});

test("a session has neither null nor gaps on the wire, and a client finds in it what it needs", () => {
  const wire = encodeSession(
    {
      id: "s" as Message["sessionId"],
      parentSessionId: null,
      title: "t",
      messageCount: 2,
      promptTokens: 3,
      completionTokens: 4,
      cost: null,
      summaryMessageId: null,
      createdAt: 5,
      updatedAt: 6,
    },
    true,
  );
  expect(wire).toMatchObject({ parent_session_id: "", cost: 0, is_busy: true, updated_at: 6 });
  expect(decodeSessionRef(wire)).toEqual({
    id: "s",
    parentSessionId: null,
    title: "t",
    updatedAt: 6,
    isEmpty: false,
  });
  expect(() => decodeSessionRef({ title: "no id" })).toThrow("id");
});

test("limits that were not asked for are the documented ones", () => {
  expect(limitsOf({})).toEqual({
    timeoutMs: null,
    idleTimeoutMs: 600_000,
    killAfterMs: 10_000,
    retries: 4,
    retryMaxWaitMs: 60_000,
    maxTurns: null,
    maxToolCalls: null,
    maxTokens: null,
    maxCostUsd: null,
  });
  const none = { maxTurns: 0, maxToolCalls: 0, maxTokens: 0, maxCostUsd: 0 };
  expect(limitsOf(none)).toEqual(limitsOf({}));
  const some = { maxTurns: 1, maxToolCalls: 2, maxTokens: 3, maxCostUsd: 0.04 };
  expect(limitsOf(some)).toMatchObject(some);
  expect(limitsOf({ timeoutMs: 0, retries: 0 })).toMatchObject({ timeoutMs: null, retries: 0 });
  for (const bad of [
    { timeoutMs: -1 },
    { retries: 1.5 },
    { model: 3 },
    { maxTurns: 0.5 },
    { maxCostUsd: -1 },
  ])
    expect(runOptionsSchema.safeParse(bad).success).toBe(false);
});

test("an abort says why; one that does not is a client's", () => {
  const late = new RunAborted("timeout");
  expect(abortOf(late)).toBe(late);
  expect(late).toMatchObject({ name: "AbortError", failure: { reason: "timeout" } });
  expect(late.failure.remedy).toContain("--timeout");
  expect(abortOf(new Error("whatever")).reason).toBe("by_client");
});

test("usage adds up field by field", () => {
  const one = { inputTokens: 1, cachedInputTokens: 2, outputTokens: 3, reasoningTokens: 4 };
  expect(addUsage(NO_USAGE, one)).toEqual(one);
  expect(addUsage(one, one)).toEqual({
    inputTokens: 2,
    cachedInputTokens: 4,
    outputTokens: 6,
    reasoningTokens: 8,
  });
});
