import { DEFAULT_USAGE, finishOf, inputText, reasoningPieces, textPieces } from "../fake-script.ts";
import type { FakeFrame, FakeStep, FakeWire } from "../fake-script.ts";

const FINISH_REASON = {
  stop: "STOP",
  length: "MAX_TOKENS",
  content_filter: "SAFETY",
  tool_calls: "STOP", // Gemini has no word for it
} as const;

/** Gemini `streamGenerateContent?alt=sse`: no event names, no end marker but `finishReason`. */
export const gemini: FakeWire = {
  frames,
  errorFrame: (message) => ({
    kind: "finish",
    data: JSON.stringify({ error: { code: 503, message, status: "UNAVAILABLE" } }),
  }),
  errorBody: (status, message) => ({
    error: { code: status, message, status: ERROR_STATUS[status] ?? "INTERNAL" },
  }),
};

const ERROR_STATUS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

function* frames(step: FakeStep, model: string): Iterable<FakeFrame> {
  const { input, cached = 0, output, reasoning = 0 } = step.usage ?? DEFAULT_USAGE;
  const usageMetadata = {
    promptTokenCount: input,
    ...(cached > 0 && { cachedContentTokenCount: cached }),
    candidatesTokenCount: output - reasoning,
    ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
    totalTokenCount: input + output,
  };
  const frame = (kind: FakeFrame["kind"], parts: readonly object[], ending = {}): FakeFrame => ({
    kind,
    data: JSON.stringify({
      candidates: [{ content: { parts, role: "model" }, index: 0, ...ending }],
      usageMetadata,
      modelVersion: model,
      responseId: "fake0001",
    }),
  });

  for (const text of reasoningPieces(step)) yield frame("delta", [{ text, thought: true }]);
  for (const text of textPieces(step)) yield frame("delta", [{ text }]);
  for (const call of step.toolCalls ?? []) {
    const functionCall = { name: call.name, args: JSON.parse(inputText(call)) as unknown };
    yield frame("delta", [{ functionCall, thoughtSignature: "ZmFrZQ==" }]);
  }
  yield frame("finish", [{ text: "" }], { finishReason: FINISH_REASON[finishOf(step)] });
}
