import { isJsonObject } from "../shared/json.ts";
import type { JsonObject } from "../shared/json.ts";
import { faultOf } from "./call-errors.ts";
import { ENDS_SOON, PLAIN, hasOnly, only, word } from "./stream-rule.ts";
import type { StreamRule } from "./stream-rule.ts";

// The SDK keeps the last usage of a stream only, so a usage between two pieces of text may be dropped.
const CHUNK = new Set([
  "candidates",
  "usageMetadata",
  "modelVersion",
  "responseId",
  "createTime",
  "traceId",
]);
const CANDIDATE = new Set(["content", "index"]);
const CONTENT = new Set(["parts", "role"]);
const PART = new Set(["text", "thought"]);

/** Gemini's streamGenerateContent with `alt=sse`. Nothing but a finish reason marks its end. */
export const geminiRule: StreamRule = {
  read(chunk) {
    if (chunk["error"] !== undefined && chunk["error"] !== null)
      return { type: "fault", fault: faultOf(chunk["error"], "the provider reported an error") };
    const { candidates, promptFeedback } = chunk;
    // A prompt that was refused has no candidate that could finish.
    if (isJsonObject(promptFeedback) && typeof promptFeedback["blockReason"] === "string")
      return ENDS_SOON;
    const candidate = Array.isArray(candidates)
      ? (candidates[0] as JsonObject | undefined)
      : undefined;
    if (typeof candidate?.["finishReason"] === "string") return ENDS_SOON;
    const alone = only(candidates);
    const content = alone?.["content"];
    if (alone === null || !isJsonObject(content)) return PLAIN;
    const part = only(content["parts"]);
    const text = part?.["text"];
    if (part === null || typeof text !== "string" || text === "") return PLAIN;
    if (!hasOnly(chunk, CHUNK) || !hasOnly(alone, CANDIDATE) || !hasOnly(content, CONTENT))
      return PLAIN;
    if (!hasOnly(part, PART)) return PLAIN;
    const kind = part["thought"] === true ? "thought" : "text";
    return { type: "piece", key: `${kind}:${word(alone["index"])}`, text };
  },
  withText(chunk, text) {
    const candidate = only(chunk["candidates"]) ?? {};
    const content = (candidate["content"] ?? {}) as JsonObject;
    const part = only(content["parts"]) ?? {};
    return {
      ...chunk,
      candidates: [{ ...candidate, content: { ...content, parts: [{ ...part, text }] } }],
    };
  },
};
