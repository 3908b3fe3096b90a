import {
  DEFAULT_USAGE,
  finishOf,
  inputText,
  pieces,
  reasoningPieces,
  textPieces,
} from "../fake-script.ts";
import type { FakeFrame, FakeStep, FakeWire } from "../fake-script.ts";

const STOP_REASON = {
  stop: "end_turn",
  length: "max_tokens",
  content_filter: "refusal",
  tool_calls: "tool_use",
} as const;

/** Anthropic messages. */
export const anthropic: FakeWire = {
  frames,
  errorFrame: (message) => ({
    kind: "finish",
    event: "error",
    data: JSON.stringify({ type: "error", error: { type: "overloaded_error", message } }),
  }),
  errorBody: (status, message) => ({
    type: "error",
    error: { type: ERROR_TYPE[status] ?? "api_error", message },
    request_id: "req_fake0001",
  }),
};

const ERROR_TYPE: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

type Emit = (kind: FakeFrame["kind"], type: string, fields?: object) => FakeFrame;

function* frames(step: FakeStep, model: string): Iterable<FakeFrame> {
  const { input, cached = 0, output } = step.usage ?? DEFAULT_USAGE;
  const emit: Emit = (kind, type, fields = {}) => ({
    kind,
    event: type,
    data: JSON.stringify({ type, ...fields }),
  });
  yield emit("structure", "message_start", {
    message: {
      id: "msg_fake0001",
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: {
        // Unlike the other families, this count excludes what came from the cache.
        input_tokens: input - cached,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: cached,
        output_tokens: 1,
        service_tier: "standard",
      },
    },
  });
  yield emit("structure", "ping");

  let index = 0;
  if (step.reasoning !== undefined)
    yield* block(emit, index++, { type: "thinking", thinking: "", signature: "" }, [
      ...reasoningPieces(step).map((thinking) => ({ type: "thinking_delta", thinking })),
      { type: "signature_delta", signature: "ZmFrZS1zaWduYXR1cmU=" },
    ]);
  if (step.text !== undefined && step.text !== "")
    yield* block(
      emit,
      index++,
      { type: "text", text: "" },
      textPieces(step).map((text) => ({ type: "text_delta", text })),
    );
  for (const call of step.toolCalls ?? [])
    yield* block(
      emit,
      index++,
      { type: "tool_use", id: call.id, name: call.name, input: {} },
      ["", ...pieces(inputText(call), 3)].map((partial_json) => ({
        type: "input_json_delta",
        partial_json,
      })),
    );

  yield emit("finish", "message_delta", {
    delta: { stop_reason: STOP_REASON[finishOf(step)], stop_sequence: null },
    usage: { output_tokens: output },
  });
  yield emit("finish", "message_stop");
}

function* block(
  emit: Emit,
  index: number,
  content_block: object,
  deltas: readonly object[],
): Iterable<FakeFrame> {
  yield emit("structure", "content_block_start", { index, content_block });
  for (const delta of deltas) yield emit("delta", "content_block_delta", { index, delta });
  yield emit("structure", "content_block_stop", { index });
}
