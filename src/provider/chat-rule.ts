import { isJsonObject } from "../shared/json.ts";
import type { JsonObject } from "../shared/json.ts";
import { faultOf } from "./call-errors.ts";
import { ENDS_SOON, PLAIN, hasOnly, only, word } from "./stream-rule.ts";
import type { Reading, StreamRule } from "./stream-rule.ts";

const CHUNK = new Set([
  "id",
  "object",
  "created",
  "model",
  "provider",
  "service_tier",
  "system_fingerprint",
  "choices",
  // Padding against traffic analysis; nobody reads it.
  "obfuscation",
]);
const CHOICE = new Set(["index", "delta"]);

/** Fields of a delta that carry text, and what may stand beside each. */
const FIELDS = ["content", "reasoning_content", "reasoning"] as const;
const BESIDE = {
  content: new Set(["content", "role"]),
  reasoning_content: new Set(["reasoning_content", "role"]),
  reasoning: new Set(["reasoning", "role", "reasoning_details"]),
  tool_calls: new Set(["tool_calls", "role"]),
};

/** Chat completions, as OpenAI, OpenRouter and the many compatible servers stream them. The end is `[DONE]`. */
export const chatRule: StreamRule = {
  read(chunk) {
    if (chunk["error"] !== undefined && chunk["error"] !== null)
      return { type: "fault", fault: faultOf(chunk["error"], "the provider reported an error") };
    const choices = chunk["choices"];
    if (!Array.isArray(choices)) return { type: "noise" };
    const finished = (choices as readonly JsonObject[])[0]?.["finish_reason"];
    if (finished !== null && finished !== undefined && finished !== "") return ENDS_SOON;
    const choice = only(choices);
    const delta = choice?.["delta"];
    if (choice === null || !isJsonObject(delta)) return PLAIN;
    if (!hasOnly(chunk, CHUNK) || !hasOnly(choice, CHOICE)) return PLAIN;
    return pieceOf(delta, `${word(choice["index"])}:${word(delta["role"])}`);
  },
  withText(chunk, text) {
    const choice = only(chunk["choices"]) ?? {};
    const delta = (choice["delta"] ?? {}) as JsonObject;
    return { ...chunk, choices: [{ ...choice, delta: { ...delta, ...refilled(delta, text) } }] };
  },
};

function pieceOf(delta: JsonObject, at: string): Reading {
  for (const field of FIELDS) {
    const text = delta[field];
    if (typeof text !== "string" || text === "") continue;
    if (!hasOnly(delta, BESIDE[field])) return PLAIN;
    if (field !== "reasoning") return { type: "piece", key: `${field}:${at}`, text };
    const details = delta["reasoning_details"];
    if (details === undefined || details === null)
      return { type: "piece", key: `reasoning:${at}`, text };
    const detail = only(details);
    if (detail?.["type"] !== "reasoning.text" || detail["text"] !== text) return PLAIN;
    if (!hasOnly(detail, DETAIL)) return PLAIN;
    const same = `${word(detail["format"])}:${word(detail["index"])}`;
    return { type: "piece", key: `details:${at}:${same}`, text };
  }
  return toolInputOf(delta, at);
}

const DETAIL = new Set(["type", "text", "format", "index"]);
const CALL = new Set(["index", "type", "function"]);
const ARGUMENTS = new Set(["arguments"]);

/** More of the input of a tool call that has begun: its id and name came with its first chunk. */
function toolInputOf(delta: JsonObject, at: string): Reading {
  const call = only(delta["tool_calls"]);
  const named = call?.["function"];
  if (call === null || !isJsonObject(named) || typeof call["index"] !== "number") return PLAIN;
  const text = named["arguments"];
  if (typeof text !== "string" || !hasOnly(call, CALL) || !hasOnly(named, ARGUMENTS)) return PLAIN;
  if (!hasOnly(delta, BESIDE.tool_calls)) return PLAIN;
  return { type: "piece", key: `input:${call["index"]}:${at}`, text };
}

function refilled(delta: JsonObject, text: string): JsonObject {
  for (const field of FIELDS) {
    if (typeof delta[field] !== "string" || delta[field] === "") continue;
    const detail = field === "reasoning" ? only(delta["reasoning_details"]) : null;
    return detail === null
      ? { [field]: text }
      : { [field]: text, reasoning_details: [{ ...detail, text }] };
  }
  const call = only(delta["tool_calls"]) ?? {};
  const named = (call["function"] ?? {}) as JsonObject;
  return { tool_calls: [{ ...call, function: { ...named, arguments: text } }] };
}
