import { expect, test } from "vitest";
import { anthropicRule } from "../../src/provider/anthropic-rule.ts";
import { chatRule } from "../../src/provider/chat-rule.ts";
import { geminiRule } from "../../src/provider/gemini-rule.ts";
import { responsesRule } from "../../src/provider/responses-rule.ts";
import type { StreamRule } from "../../src/provider/stream-rule.ts";
import type { JsonObject } from "../../src/shared/json.ts";

const chat = (delta: JsonObject, more: JsonObject = {}): JsonObject => ({
  id: "c",
  choices: [{ index: 0, delta, finish_reason: null }],
  ...more,
});
const gemini = (part: JsonObject, more: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: "model", parts: [part] }, index: 0, ...more }],
  usageMetadata: { totalTokenCount: 1 },
});
const detail = (text: string): JsonObject => ({
  type: "reasoning.text",
  text,
  format: "f",
  index: 0,
});

/** Events that are one bare piece, with their text. */
const PIECES: readonly (readonly [string, StreamRule, (text: string) => JsonObject])[] = [
  ["chat text", chatRule, (content) => chat({ content })],
  [
    "chat text with a role",
    chatRule,
    (content) => chat({ role: "assistant", content, refusal: null }),
  ],
  ["chat reasoning_content", chatRule, (text) => chat({ reasoning_content: text, content: null })],
  ["chat reasoning", chatRule, (text) => chat({ reasoning: text, content: "" })],
  [
    "chat reasoning with its detail",
    chatRule,
    (text) => chat({ reasoning: text, reasoning_details: [detail(text)] }),
  ],
  [
    "chat tool input",
    chatRule,
    (text) => chat({ tool_calls: [{ index: 1, function: { arguments: text } }] }),
  ],
  [
    "responses text",
    responsesRule,
    (delta) => ({ type: "response.output_text.delta", item_id: "m", output_index: 0, delta }),
  ],
  [
    "responses reasoning",
    responsesRule,
    (delta) => ({
      type: "response.reasoning_summary_text.delta",
      item_id: "r",
      summary_index: 0,
      delta,
    }),
  ],
  [
    "responses tool input",
    responsesRule,
    (delta) => ({ type: "response.function_call_arguments.delta", item_id: "f", delta }),
  ],
  [
    "anthropic text",
    anthropicRule,
    (text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  ],
  [
    "anthropic thinking",
    anthropicRule,
    (thinking) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "thinking_delta", thinking },
    }),
  ],
  [
    "anthropic tool input",
    anthropicRule,
    (partial_json) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "input_json_delta", partial_json },
    }),
  ],
  ["gemini text", geminiRule, (text) => gemini({ text })],
  ["gemini thought", geminiRule, (text) => gemini({ text, thought: true })],
];

test.each(PIECES)("%s: pieces join into the event that says both", (_name, rule, event) => {
  const [one, two] = [rule.read(event("Hel")), rule.read(event("lo"))];
  expect(one).toMatchObject({ type: "piece", text: "Hel" });
  expect(two).toMatchObject({
    type: "piece",
    text: "lo",
    key: one.type === "piece" ? one.key : "",
  });
  expect(rule.withText(event("lo"), "Hello")).toEqual(event("Hello"));
});

test("pieces of different kinds, blocks and calls never join", () => {
  const keys = [
    ...PIECES.map(([name, rule, event]) => [name, rule.read(event("x"))] as const),
    [
      "other call",
      chatRule.read(chat({ tool_calls: [{ index: 2, function: { arguments: "x" } }] })),
    ],
    [
      "other block",
      anthropicRule.read({
        type: "content_block_delta",
        index: 1,
        delta: { type: "text_delta", text: "x" },
      }),
    ],
  ].map(([name, reading]) => `${(name as string).split(" ")[0]}:${JSON.stringify(reading)}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test.each([
  ["a chunk with usage", chatRule, chat({ content: "x" }, { usage: { prompt_tokens: 1 } })],
  ["text beside a tool call", chatRule, chat({ content: "x", tool_calls: [{ index: 0 }] })],
  [
    "the start of a tool call",
    chatRule,
    chat({ tool_calls: [{ index: 0, id: "a", function: { name: "view", arguments: "" } }] }),
  ],
  [
    "a signed detail",
    chatRule,
    chat({ reasoning: "x", reasoning_details: [{ ...detail("x"), signature: "s" }] }),
  ],
  [
    "text with logprobs",
    responsesRule,
    { type: "response.output_text.delta", item_id: "m", delta: "x", logprobs: [{}] },
  ],
  [
    "a signature",
    anthropicRule,
    { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "s" } },
  ],
  ["a thought signature", geminiRule, gemini({ text: "x", thoughtSignature: "s" })],
  ["grounding", geminiRule, gemini({ text: "x" }, { groundingMetadata: { a: 1 } })],
])("%s is passed on as it came", (_name, rule, event) => {
  expect(rule.read(event)).toEqual({ type: "event", ends: null });
});

test.each([
  ["chat", chatRule, { choices: [{ delta: {}, finish_reason: "stop" }] }, "soon"],
  ["chat usage", chatRule, { choices: [], usage: { prompt_tokens: 1 } }, null],
  ["responses", responsesRule, { type: "response.completed" }, "now"],
  ["responses", responsesRule, { type: "response.incomplete" }, "now"],
  ["anthropic", anthropicRule, { type: "message_delta", delta: { stop_reason: "end_turn" } }, null],
  ["anthropic", anthropicRule, { type: "message_stop" }, "now"],
  ["gemini", geminiRule, gemini({ text: "x" }, { finishReason: "STOP" }), "soon"],
  ["gemini", geminiRule, { promptFeedback: { blockReason: "SAFETY" } }, "soon"],
])("%s: %3$s ends the stream: %4$s", (_family, rule, event, ends) => {
  expect(rule.read(event)).toEqual({ type: "event", ends });
});

test.each([
  [chatRule, { error: { message: "No", code: 400 } }, "400"],
  [responsesRule, { type: "error", code: "server_error", message: "No" }, "server_error"],
  [
    responsesRule,
    { type: "error", error: { type: "server_error", message: "No" } },
    "server_error",
  ],
  [
    responsesRule,
    { type: "response.failed", response: { error: { code: "x", message: "No" } } },
    "x",
  ],
  [
    anthropicRule,
    { type: "error", error: { type: "overloaded_error", message: "No" } },
    "overloaded_error",
  ],
  [geminiRule, { error: { code: 503, message: "No", status: "UNAVAILABLE" } }, "503"],
])("an error event keeps its words and its code", (rule, event, code) => {
  expect(rule.read(event as JsonObject)).toMatchObject({
    type: "fault",
    fault: { message: "No", code },
  });
});

test.each([chatRule, responsesRule, anthropicRule, geminiRule])(
  "no rule stumbles over an unknown event",
  (rule) => {
    for (const event of [
      {},
      { type: "new" },
      { choices: [null] },
      { candidates: [null] },
      { delta: 1 },
    ])
      expect(["event", "noise"]).toContain(rule.read(event as JsonObject).type);
  },
);
