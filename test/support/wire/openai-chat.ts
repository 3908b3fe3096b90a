import {
  DEFAULT_USAGE,
  finishOf,
  inputText,
  pieces,
  reasoningPieces,
  textPieces,
} from "../fake-script.ts";
import type { FakeFrame, FakeStep, FakeWire } from "../fake-script.ts";

/** OpenAI chat completions, as OpenAI and the compatible servers speak it. */
export const openaiChat: FakeWire = {
  frames,
  errorFrame: (message) => ({
    kind: "finish",
    data: JSON.stringify({
      error: { message, type: "server_error", param: null, code: "server_error" },
    }),
  }),
  errorBody: (status, message) => ({
    error: {
      message,
      type: status === 429 ? "rate_limit_error" : "invalid_request_error",
      param: null,
      code: status === 401 ? "invalid_api_key" : null,
    },
  }),
};

function* frames(step: FakeStep, model: string, body: unknown): Iterable<FakeFrame> {
  const head = {
    id: "chatcmpl-fake0001",
    object: "chat.completion.chunk",
    created: 1_790_000_000,
    model,
    system_fingerprint: "fp_fake",
  };
  const frame = (
    kind: FakeFrame["kind"],
    delta: object,
    finish_reason: string | null = null,
  ): FakeFrame => ({
    kind,
    data: JSON.stringify({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    }),
  });

  yield frame("structure", { role: "assistant", content: "", refusal: null });
  for (const text of reasoningPieces(step)) yield frame("delta", reasoningDelta(text, body));
  for (const content of textPieces(step)) yield frame("delta", { content });
  for (const [index, call] of (step.toolCalls ?? []).entries()) {
    const opening = { id: call.id, type: "function", function: { name: call.name, arguments: "" } };
    yield frame("structure", { tool_calls: [{ index, ...opening }] });
    for (const part of pieces(inputText(call), 3))
      yield frame("delta", { tool_calls: [{ index, function: { arguments: part } }] });
  }
  yield frame("finish", {}, finishOf(step));
  if (wantsUsage(body))
    yield { kind: "finish", data: JSON.stringify({ ...head, choices: [], usage: usage(step) }) };
  yield { kind: "finish", data: "[DONE]" };
}

/** OpenRouter asks with `usage.include`, everyone else with `stream_options.include_usage`. */
function wantsUsage(body: unknown): boolean {
  const asked = body as {
    stream_options?: { include_usage?: boolean };
    usage?: { include?: boolean };
  };
  return asked.stream_options?.include_usage === true || asked.usage?.include === true;
}

/** DeepSeek, Ollama and llama.cpp say `reasoning_content`; OpenRouter says `reasoning` with details. */
function reasoningDelta(text: string, body: unknown): object {
  if ((body as { usage?: { include?: boolean } }).usage?.include !== true)
    return { content: null, reasoning_content: text };
  const detail = { type: "reasoning.text", text, format: "unknown", index: 0 };
  return { content: "", reasoning: text, reasoning_details: [detail] };
}

function usage(step: FakeStep): object {
  const { input, cached = 0, output, reasoning = 0 } = step.usage ?? DEFAULT_USAGE;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0 },
  };
}
