import { expect, test } from "vitest";
import { HI, collect, failureOf, loopback, open, sendEvents } from "./loopback.ts";

const CREATED = {
  type: "response.created",
  response: { id: "r1", created_at: 1, model: "some-model", status: "in_progress" },
};
const item = (type: string, index: number, value: object) => ({
  type: `response.output_item.${type}`,
  output_index: index,
  item: value,
});
const ended = (type: string, more: object = {}) => ({
  type: `response.${type}`,
  response: {
    id: "r1",
    created_at: 1,
    model: "some-model",
    status: type,
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 2 },
    },
    ...more,
  },
});
const FINISH = {
  type: "finish",
  usage: { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 2 },
};
const text = (delta: string) => ({
  type: "response.output_text.delta",
  item_id: "m1",
  output_index: 1,
  content_index: 0,
  delta,
});
const MESSAGE = { id: "m1", type: "message", role: "assistant", status: "completed", content: [] };
const reasoned = (encrypted: string | null) => ({
  id: "rs1",
  type: "reasoning",
  summary: [],
  encrypted_content: encrypted,
});
const toolCall = (id: string, args: string) => ({
  id: `fc-${id}`,
  type: "function_call",
  call_id: id,
  name: "view",
  arguments: args,
  status: "completed",
});

const ANSWER = [
  CREATED,
  item("added", 0, reasoned(null)),
  { type: "response.reasoning_summary_part.added", item_id: "rs1", summary_index: 0 },
  {
    type: "response.reasoning_summary_text.delta",
    item_id: "rs1",
    output_index: 0,
    summary_index: 0,
    delta: "Think",
  },
  {
    type: "response.reasoning_summary_text.delta",
    item_id: "rs1",
    output_index: 0,
    summary_index: 0,
    delta: "ing",
  },
  { type: "response.reasoning_summary_part.done", item_id: "rs1", summary_index: 0 },
  item("done", 0, reasoned("sealed")),
  item("added", 1, MESSAGE),
  text("Hel"),
  text("lo"),
  item("done", 1, MESSAGE),
  ended("completed"),
];

test("reasoning, text and usage arrive, and the request asks to store nothing", async () => {
  await using server = await loopback((response) => sendEvents(response, ANSWER));
  const model = await open("openai-responses", server.url, {
    model: { canReason: true },
    reasoningEffort: "low",
  });
  const parts = await collect(model);
  expect(parts).toMatchObject([
    { type: "reasoning", text: "Thinking" },
    {
      type: "reasoning_end",
      providerMetadata: { openai: { itemId: "rs1", reasoningEncryptedContent: "sealed" } },
    },
    { type: "text", text: "Hello" },
    { type: "text", text: "", providerMetadata: { openai: { itemId: "m1" } } },
    { ...FINISH, reason: "end_turn" },
  ]);
  expect(parts).toHaveLength(5);
  expect(server.asked[0]).toMatchObject({
    url: "/responses",
    body: {
      store: false,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "low" },
      max_output_tokens: 1000,
    },
  });
});

test("what a step left behind is replayed in the next request", async () => {
  await using server = await loopback((response) => sendEvents(response, ANSWER));
  const model = await open("openai-responses", server.url, { model: { canReason: true } });
  const base = HI.messages[0];
  if (base === undefined) throw new Error("no message");
  const metadata = { openai: { itemId: "rs1", reasoningEncryptedContent: "sealed" } };
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
          { type: "reasoning", thinking: "Thinking", providerMetadata: metadata },
          { type: "tool_call", id: "a", name: "view", input: '{"path":"x"}', finished: true },
        ],
      },
    ],
  });
  expect(server.asked[0]?.body["input"]).toMatchObject([
    { role: "developer", content: "Be brief." },
    { role: "user" },
    { type: "reasoning", encrypted_content: "sealed" },
    { type: "function_call", call_id: "a", arguments: '{"path":"x"}' },
    { type: "function_call_output", call_id: "a" },
  ]);
});

test("parallel tool calls arrive whole", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      CREATED,
      item("added", 0, toolCall("a", "")),
      item("added", 1, toolCall("b", "")),
      {
        type: "response.function_call_arguments.delta",
        item_id: "fc-a",
        output_index: 0,
        delta: '{"path":',
      },
      {
        type: "response.function_call_arguments.delta",
        item_id: "fc-a",
        output_index: 0,
        delta: '"x"}',
      },
      item("done", 0, toolCall("a", '{"path":"x"}')),
      item("done", 1, toolCall("b", '{"path":"y"}')),
      ended("completed"),
    ]),
  );
  expect(await collect(await open("openai-responses", server.url))).toMatchObject([
    { type: "tool_call", id: "a", name: "view", input: '{"path":"x"}' },
    { type: "tool_call", id: "b", name: "view", input: '{"path":"y"}' },
    { ...FINISH, reason: "tool_use" },
  ]);
});

test("an incomplete response ends as cut off by its limit", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      CREATED,
      item("added", 1, MESSAGE),
      text("Hel"),
      ended("incomplete", { incomplete_details: { reason: "max_output_tokens" } }),
    ]),
  );
  expect((await collect(await open("openai-responses", server.url))).at(-1)).toMatchObject({
    reason: "max_tokens",
  });
});

test("a failed response is a failure with the provider's words", async () => {
  await using server = await loopback((response) =>
    sendEvents(response, [
      CREATED,
      ended("failed", { error: { code: "server_error", message: "The server had an error" } }),
    ]),
  );
  const failed = await failureOf(open("openai-responses", server.url).then((m) => collect(m)));
  expect(failed).toMatchObject({
    retryable: true,
    failure: {
      reason: "provider_unavailable",
      message: "acme: The server had an error",
      httpStatus: null,
    },
  });
});
