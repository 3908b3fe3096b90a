import { expect, test } from "vitest";
import { HI, collect, failureOf, loopback, open, sendEvents } from "./loopback.ts";

const START = {
  type: "message_start",
  message: {
    id: "msg1",
    type: "message",
    role: "assistant",
    model: "some-model",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 2,
      cache_creation_input_tokens: 1,
      cache_read_input_tokens: 7,
      output_tokens: 1,
    },
  },
};
const block = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, value: object) => ({
  type: "content_block_delta",
  index,
  delta: value,
});
const stop = (index: number) => ({ type: "content_block_stop", index });
const end = (stop_reason: string) => [
  {
    type: "message_delta",
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: 5 },
  },
  { type: "message_stop" },
];
const USAGE = {
  inputTokens: 10,
  cachedInputTokens: 7,
  cacheWriteTokens: 1,
  outputTokens: 5,
  reasoningTokens: 0,
};

const THOUGHT = [
  START,
  block(0, { type: "thinking", thinking: "", signature: "" }),
  { type: "ping" },
  delta(0, { type: "thinking_delta", thinking: "Think" }),
  delta(0, { type: "thinking_delta", thinking: "ing" }),
  delta(0, { type: "signature_delta", signature: "signed" }),
  stop(0),
  block(1, { type: "text", text: "" }),
  delta(1, { type: "text_delta", text: "Hel" }),
  delta(1, { type: "text_delta", text: "lo" }),
  stop(1),
];

test("thinking, its signature, text and usage with cached tokens arrive", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [...THOUGHT, ...end("end_turn")]),
  );
  const model = await open("anthropic", server.url, { model: { canReason: true }, think: true });
  expect(await collect(model)).toEqual([
    { type: "reasoning", text: "Thinking" },
    { type: "reasoning_end", providerMetadata: { anthropic: { signature: "signed" } } },
    { type: "text", text: "Hello" },
    {
      type: "finish",
      reason: "end_turn",
      usage: { ...USAGE, reasoningTokens: expect.any(Number) },
    },
  ]);
  const [asked] = server.asked;
  expect(asked?.url).toBe("/v1/messages");
  expect(asked?.headers["x-api-key"]).toBe("sk-very-secret-key");
  expect(asked?.body).toMatchObject({
    thinking: { type: "enabled", budget_tokens: 10_000 },
    system: [{ text: "Be brief.", cache_control: { type: "ephemeral" } }],
    messages: [{ role: "user", content: [{ text: "hi", cache_control: { type: "ephemeral" } }] }],
  });
});

test("thinking is sent back with its signature, and a call that lost its result gets one", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [...THOUGHT, ...end("end_turn")]),
  );
  const model = await open("anthropic", server.url, { model: { canReason: true }, think: true });
  const [base] = HI.messages;
  if (base === undefined) throw new Error("no message");
  await collect(model, {
    ...HI,
    messages: [
      base,
      {
        ...base,
        role: "assistant",
        provider: "acme",
        model: "some-model",
        parts: [
          {
            type: "reasoning",
            thinking: "Thinking",
            providerMetadata: { anthropic: { signature: "signed" } },
          },
          { type: "tool_call", id: "a", name: "view", input: "{not json", finished: true },
        ],
      },
      base,
    ],
  });
  expect(server.asked[0]?.body["messages"]).toMatchObject([
    { role: "user" },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "Thinking", signature: "signed" },
        { type: "tool_use", id: "a", input: {} },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "a", is_error: true },
        { type: "text", text: "hi" },
      ],
    },
  ]);
});

test("parallel tool calls are put together from their pieces", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      START,
      block(0, { type: "tool_use", id: "a", name: "view", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: "" }),
      delta(0, { type: "input_json_delta", partial_json: '{"path":' }),
      delta(0, { type: "input_json_delta", partial_json: '"x"}' }),
      stop(0),
      block(1, { type: "tool_use", id: "b", name: "view", input: {} }),
      stop(1),
      ...end("tool_use"),
    ]),
  );
  expect(await collect(await open("anthropic", server.url))).toEqual([
    { type: "tool_call", id: "a", name: "view", input: '{"path":"x"}' },
    { type: "tool_call", id: "b", name: "view", input: "{}" },
    {
      type: "finish",
      reason: "tool_use",
      usage: { ...USAGE, reasoningTokens: expect.any(Number) },
    },
  ]);
});

test("a call cut off by the limit is no call", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      START,
      block(0, { type: "tool_use", id: "a", name: "view", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"pa' }),
      stop(0),
      ...end("max_tokens"),
    ]),
  );
  expect(await collect(await open("anthropic", server.url))).toMatchObject([
    { type: "finish", reason: "max_tokens" },
  ]);
});

test.each([
  ["overloaded_error", "provider_unavailable", true],
  ["rate_limit_error", "provider_unavailable", true],
  ["authentication_error", "auth_refused", false],
  ["invalid_request_error", "provider_error", false],
])(
  "an error event %s in the stream is %s, whatever came before",
  async (type, reason, retryable) => {
    await using server = await loopback((response) =>
      sendEvents(response, [...THOUGHT, { type: "error", error: { type, message: "Sorry." } }]),
    );
    const failed = await failureOf(open("anthropic", server.url).then((m) => collect(m)));
    expect(failed).toMatchObject({ retryable, failure: { reason, message: "acme: Sorry" } });
  },
);

test("a message without message_stop is a broken stream", async () => {
  await using server = await loopback((response) => sendEvents(response, THOUGHT));
  const failed = await failureOf(open("anthropic", server.url).then((m) => collect(m)));
  expect(failed).toMatchObject({
    retryable: true,
    failure: {
      reason: "provider_unavailable",
      message: expect.stringContaining("stream broke: it ended without a finish marker"),
    },
  });
});
