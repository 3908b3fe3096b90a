import {
  DEFAULT_USAGE,
  finishOf,
  inputText,
  pieces,
  reasoningPieces,
  textPieces,
} from "../fake-script.ts";
import type { FakeFrame, FakeStep, FakeToolCall, FakeWire } from "../fake-script.ts";

/** OpenAI responses. Every event carries its type twice and a gap-free sequence number. */
export const openaiResponses: FakeWire = {
  frames,
  errorFrame: (message) => ({
    kind: "finish",
    event: "error",
    data: JSON.stringify({
      type: "error",
      sequence_number: 99,
      code: "server_error",
      message,
      param: null,
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

type Emit = (kind: FakeFrame["kind"], type: string, fields: object) => FakeFrame;

function* frames(step: FakeStep, model: string): Iterable<FakeFrame> {
  let sequence = 0;
  const emit: Emit = (kind, type, fields) => ({
    kind,
    event: type,
    data: JSON.stringify({ type, sequence_number: sequence++, ...fields }),
  });
  const response = {
    id: "resp_fake0001",
    object: "response",
    created_at: 1_790_000_000,
    error: null,
    incomplete_details: null,
    model,
    output: [],
    parallel_tool_calls: true,
    store: false,
    usage: null,
  };
  yield emit("structure", "response.created", {
    response: { ...response, status: "in_progress" },
  });
  yield emit("structure", "response.in_progress", {
    response: { ...response, status: "in_progress" },
  });

  let index = 0;
  if (step.reasoning !== undefined) yield* reasoningItem(step, index++, emit);
  if (step.text !== undefined && step.text !== "") yield* messageItem(step, index++, emit);
  for (const call of step.toolCalls ?? []) yield* callItem(call, index++, emit);

  const finish = finishOf(step);
  const cutOff = finish === "length" || finish === "content_filter";
  yield emit("finish", cutOff ? "response.incomplete" : "response.completed", {
    response: {
      ...response,
      status: cutOff ? "incomplete" : "completed",
      incomplete_details: cutOff
        ? { reason: finish === "length" ? "max_output_tokens" : "content_filter" }
        : null,
      usage: usage(step),
    },
  });
}

function* reasoningItem(step: FakeStep, output_index: number, emit: Emit): Iterable<FakeFrame> {
  const item = { id: `rs_fake${output_index}`, type: "reasoning", encrypted_content: null };
  const at = { item_id: item.id, output_index, summary_index: 0 };
  const text = step.reasoning ?? "";
  const part = { type: "summary_text", text };
  yield emit("structure", "response.output_item.added", {
    output_index,
    item: { ...item, summary: [] },
  });
  yield emit("structure", "response.reasoning_summary_part.added", {
    ...at,
    part: { ...part, text: "" },
  });
  for (const delta of reasoningPieces(step))
    yield emit("delta", "response.reasoning_summary_text.delta", { ...at, delta });
  yield emit("structure", "response.reasoning_summary_text.done", { ...at, text });
  yield emit("structure", "response.reasoning_summary_part.done", { ...at, part });
  yield emit("structure", "response.output_item.done", {
    output_index,
    item: { ...item, encrypted_content: "ZmFrZQ==", summary: [part] },
  });
}

function* messageItem(step: FakeStep, output_index: number, emit: Emit): Iterable<FakeFrame> {
  const item = { id: `msg_fake${output_index}`, type: "message", role: "assistant" };
  const at = { item_id: item.id, output_index, content_index: 0 };
  const part = { type: "output_text", annotations: [], logprobs: [], text: step.text ?? "" };
  yield emit("structure", "response.output_item.added", {
    output_index,
    item: { ...item, status: "in_progress", content: [] },
  });
  yield emit("structure", "response.content_part.added", { ...at, part: { ...part, text: "" } });
  for (const delta of textPieces(step))
    yield emit("delta", "response.output_text.delta", { ...at, delta, logprobs: [] });
  yield emit("structure", "response.output_text.done", { ...at, text: step.text, logprobs: [] });
  yield emit("structure", "response.content_part.done", { ...at, part });
  yield emit("structure", "response.output_item.done", {
    output_index,
    item: { ...item, status: "completed", content: [part] },
  });
}

function* callItem(call: FakeToolCall, output_index: number, emit: Emit): Iterable<FakeFrame> {
  const { id: call_id, name } = call;
  const item = { id: `fc_fake${output_index}`, type: "function_call", call_id, name };
  const at = { item_id: item.id, output_index };
  yield emit("structure", "response.output_item.added", {
    output_index,
    item: { ...item, status: "in_progress", arguments: "" },
  });
  for (const delta of pieces(inputText(call), 3))
    yield emit("delta", "response.function_call_arguments.delta", { ...at, delta });
  yield emit("structure", "response.function_call_arguments.done", {
    ...at,
    arguments: inputText(call),
  });
  yield emit("structure", "response.output_item.done", {
    output_index,
    item: { ...item, status: "completed", arguments: inputText(call) },
  });
}

function usage(step: FakeStep): object {
  const { input, cached = 0, output, reasoning = 0 } = step.usage ?? DEFAULT_USAGE;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
