import type { JsonObject } from "../shared/json.ts";
import { prefixWithin, RESULT_LIMIT_BYTES } from "./bounded-text.ts";
import type { ToolResult } from "./tool.ts";

/** A result that is known to be within the limit. */
export function succeeded(content: string, metadata?: JsonObject): ToolResult {
  return result({ content, isError: false, truncated: false }, metadata);
}

/** A failed operation or a bad input, told to the model. */
export function failed(message: string, metadata?: JsonObject): ToolResult {
  const { content, truncated } = bounded(message, "shorten the request");
  return result({ content, isError: true, truncated }, metadata);
}

/** A result whose text may be too long: `rest` says how to see what was cut. */
export function succeededWithin(text: string, rest: string, metadata?: JsonObject): ToolResult {
  return result({ ...bounded(text, rest), isError: false }, metadata);
}

/** The text within the limit of one result, with a note when it was cut. */
export function bounded(text: string, rest: string): { content: string; truncated: boolean } {
  const kept = prefixWithin(text, RESULT_LIMIT_BYTES);
  if (kept.length === text.length) return { content: text, truncated: false };
  const cut = Buffer.byteLength(text) - Buffer.byteLength(kept);
  return { content: `${kept}\n[${cut} bytes left out; ${rest}]`, truncated: true };
}

function result(what: ToolResult, metadata: JsonObject | undefined): ToolResult {
  return metadata === undefined ? what : { ...what, metadata };
}
