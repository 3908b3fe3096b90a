import { expect } from "vitest";
import type { WireFamily } from "./crush.ts";
import type { FakeStep } from "./fake-script.ts";

/** A step that thinks, speaks and calls three tools at once, one of which fails. */
export const CALLING: FakeStep = {
  reasoning: "First I look.",
  text: "Let me look.",
  toolCalls: [
    { id: "call_1", name: "view", input: { file_path: "a.txt" } },
    { id: "call_2", name: "write", input: { file_path: "made/b.txt", content: "bêta\n" } },
    { id: "call_3", name: "bash", input: { command: "cat a.txt; exit 3" } },
  ],
};
export const FILE = { name: "a.txt", content: "alpha\n" };

const VIEWED = expect.stringContaining("alpha") as unknown;
const WRITTEN = expect.stringContaining("made/b.txt") as unknown;
const FAILED = "alpha\n[exit code 3]";

/** The conversation that a request carries, without the system prompt. */
export function conversationOf(family: WireFamily, body: unknown): readonly unknown[] {
  const { messages, input, contents } = body as Readonly<Record<string, readonly unknown[]>>;
  const list = { chat: messages, responses: input, anthropic: messages, gemini: contents }[family];
  const first = list?.[0] as { role?: string } | undefined;
  const system = first?.role === "system" || first?.role === "developer";
  return list?.slice(system ? 1 : 0) ?? [];
}

export const asUser = (family: WireFamily, text: string): object =>
  ({
    chat: { role: "user", content: text },
    responses: { role: "user", content: [{ type: "input_text", text }] },
    anthropic: { role: "user", content: [expect.objectContaining({ type: "text", text })] },
    gemini: { role: "user", parts: [{ text }] },
  })[family];

/** A later answer of the model, which thought before it spoke. */
export function asAnswer(family: WireFamily, reasoning: string, text: string): readonly object[] {
  switch (family) {
    case "chat": // The reasoning of an earlier turn is not sent back.
      return [{ role: "assistant", content: text }];
    case "responses":
      return [asReasoningItem(reasoning), asMessageItem(text)];
    case "anthropic":
      return [{ role: "assistant", content: [asThinking(reasoning), { type: "text", text }] }];
    case "gemini":
      return [{ role: "model", parts: [{ text: reasoning, thought: true }, { text }] }];
  }
}

/** What `CALLING` and the results of its calls have to look like in every later request. */
export function asCalling(
  family: WireFamily,
  turn: "this turn" | "an earlier turn",
): readonly object[] {
  switch (family) {
    case "chat":
      return [
        {
          role: "assistant",
          content: CALLING.text,
          // DeepSeek wants it back while its tools run, and only then.
          ...(turn === "this turn" && { reasoning_content: CALLING.reasoning }),
          tool_calls: CALLING.toolCalls?.map(({ id, name, input }) => ({
            id,
            type: "function",
            function: { name, arguments: JSON.stringify(input) },
          })),
        },
        { role: "tool", tool_call_id: "call_1", content: VIEWED },
        { role: "tool", tool_call_id: "call_2", content: WRITTEN },
        { role: "tool", tool_call_id: "call_3", content: FAILED },
      ];
    case "responses":
      return [
        asReasoningItem(CALLING.reasoning),
        asMessageItem(CALLING.text),
        ...(CALLING.toolCalls ?? []).map(({ id, name, input }) => ({
          type: "function_call",
          call_id: id,
          name,
          arguments: JSON.stringify(input),
        })),
        { type: "function_call_output", call_id: "call_1", output: VIEWED },
        { type: "function_call_output", call_id: "call_2", output: WRITTEN },
        { type: "function_call_output", call_id: "call_3", output: FAILED },
      ];
    case "anthropic":
      return [
        {
          role: "assistant",
          content: [
            asThinking(CALLING.reasoning),
            { type: "text", text: CALLING.text },
            ...(CALLING.toolCalls ?? []).map((call) => ({ type: "tool_use", ...call })),
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "call_1", content: VIEWED },
            { type: "tool_result", tool_use_id: "call_2", content: WRITTEN },
            expect.objectContaining({
              type: "tool_result",
              tool_use_id: "call_3",
              content: FAILED,
              is_error: true,
            }),
          ],
        },
      ];
    case "gemini": {
      const named = (name: string, content: unknown): object => ({
        functionResponse: expect.objectContaining({ name, response: { name, content } }) as unknown,
      });
      return [
        {
          role: "model",
          parts: [
            { text: CALLING.reasoning, thought: true },
            { text: CALLING.text },
            ...(CALLING.toolCalls ?? []).map(({ name, input }) => ({
              functionCall: expect.objectContaining({ name, args: input }) as unknown,
              thoughtSignature: "ZmFrZQ==",
            })),
          ],
        },
        {
          role: "user",
          parts: [named("view", VIEWED), named("write", WRITTEN), named("bash", FAILED)],
        },
      ];
    }
  }
}

const asReasoningItem = (text: string | undefined): object => ({
  type: "reasoning",
  id: "rs_fake0",
  encrypted_content: "ZmFrZQ==",
  summary: [{ type: "summary_text", text }],
});

const asMessageItem = (text: string | undefined): object => ({
  role: "assistant",
  id: "msg_fake1",
  content: [{ type: "output_text", text }],
});

const asThinking = (thinking: string | undefined): object => ({
  type: "thinking",
  thinking,
  signature: "ZmFrZS1zaWduYXR1cmU=",
});
