import { expect, test } from "vitest";
import { collect, failureOf, loopback, open, sendEvents } from "./loopback.ts";

const USAGE = {
  promptTokenCount: 10,
  cachedContentTokenCount: 4,
  candidatesTokenCount: 3,
  thoughtsTokenCount: 2,
  totalTokenCount: 15,
};
const chunk = (parts: readonly object[], finishReason?: string) => ({
  candidates: [
    {
      content: { role: "model", parts },
      index: 0,
      ...(finishReason === undefined ? {} : { finishReason }),
    },
  ],
  usageMetadata: { ...USAGE, candidatesTokenCount: finishReason === undefined ? 1 : 3 },
  modelVersion: "some-model",
  responseId: "r1",
});
const FINISH = {
  type: "finish",
  usage: { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 2 },
};

test("thoughts, text, a thought signature and the last usage arrive", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      chunk([{ text: "Think", thought: true }]),
      chunk([{ text: "ing", thought: true }]),
      chunk([{ text: "Hel" }]),
      chunk([{ text: "lo", thoughtSignature: "signed" }], "STOP"),
    ]),
  );
  const model = await open("google", server.url, {
    model: { canReason: true },
    reasoningEffort: "low",
  });
  expect(await collect(model)).toEqual([
    { type: "reasoning", text: "Thinking" },
    { type: "reasoning_end" },
    { type: "text", text: "Hel" },
    { type: "text", text: "lo", providerMetadata: { google: { thoughtSignature: "signed" } } },
    { ...FINISH, reason: "end_turn" },
  ]);
  const [asked] = server.asked;
  expect(asked?.url).toBe("/v1beta/models/some-model:streamGenerateContent?alt=sse");
  expect(asked?.headers["x-goog-api-key"]).toBe("sk-very-secret-key");
  expect(asked?.body).toMatchObject({
    generationConfig: { thinkingConfig: { includeThoughts: true, thinkingBudget: 4096 } },
  });
});

test("parallel function calls become tool calls of different ids", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      chunk(
        [
          { functionCall: { name: "view", args: { path: "x" } }, thoughtSignature: "signed" },
          { functionCall: { name: "view", args: { path: "y" } } },
        ],
        "STOP",
      ),
    ]),
  );
  const parts = await collect(await open("google", server.url));
  expect(parts).toMatchObject([
    {
      type: "tool_call",
      name: "view",
      input: '{"path":"x"}',
      providerMetadata: { google: { thoughtSignature: "signed" } },
    },
    { type: "tool_call", name: "view", input: '{"path":"y"}' },
    { ...FINISH, reason: "tool_use" },
  ]);
  expect(new Set(parts.map((part) => ("id" in part ? part.id : "")))).toHaveProperty("size", 3);
});

test.each([
  ["MAX_TOKENS", "max_tokens"],
  ["SAFETY", "content_filter"],
])("finish reason %s is %s", async (given, reason) => {
  await using server = await loopback((response) =>
    sendEvents(response, [chunk([{ text: "Hel" }], given)]),
  );
  expect((await collect(await open("google", server.url))).at(-1)).toMatchObject({ reason });
});

test("a refused prompt is a content filter", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [{ promptFeedback: { blockReason: "SAFETY" }, usageMetadata: USAGE }]),
  );
  expect(await collect(await open("google", server.url))).toMatchObject([
    { type: "finish", reason: "content_filter" },
  ]);
});

test("a malformed function call is a failed call that may be made again", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [chunk([], "MALFORMED_FUNCTION_CALL")]),
  );
  const failed = await failureOf(open("google", server.url).then((m) => collect(m)));
  expect(failed).toMatchObject({
    retryable: true,
    failure: {
      reason: "provider_unavailable",
      message: "acme: the model gave up (finish reason MALFORMED_FUNCTION_CALL)",
    },
  });
});

test("an answer that ends without a finish reason is a broken stream", async () => {
  await using server = await loopback((response) => sendEvents(response, [chunk([{ text: "a" }])]));
  const failed = await failureOf(open("google", server.url).then((m) => collect(m)));
  expect(failed).toMatchObject({ retryable: true, failure: { reason: "provider_unavailable" } });
});

test("an error object in the stream is classified by its code", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      chunk([{ text: "a" }]),
      { error: { code: 503, message: "The model is overloaded", status: "UNAVAILABLE" } },
    ]),
  );
  const failed = await failureOf(open("google", server.url).then((m) => collect(m)));
  expect(failed).toMatchObject({
    retryable: true,
    failure: { message: "acme: The model is overloaded", httpStatus: 503 },
  });
});
