import { isJsonObject } from "../shared/json.ts";
import type { Json, JsonObject } from "../shared/json.ts";
import type { StreamFault } from "./call-errors.ts";

/** What one event of a stream means, in the words that all families share. */
export type Reading =
  /** A bare piece of text, reasoning or tool input: two neighbours with the same key may become one. */
  | { readonly type: "piece"; readonly key: string; readonly text: string }
  /** Anything else. `ends: "now"`: nothing follows; `"soon"`: the answer is whole, but its usage may follow. */
  | { readonly type: "event"; readonly ends: "now" | "soon" | null }
  | { readonly type: "fault"; readonly fault: StreamFault }
  /** Not part of an answer: a sign of life. */
  | { readonly type: "noise" };

/** How one family of APIs writes its stream. Pure. */
export interface StreamRule {
  read(event: JsonObject): Reading;
  /** The event with the text of its piece replaced. */
  withText(event: JsonObject, text: string): JsonObject;
}

export const PLAIN: Reading = { type: "event", ends: null };
export const ENDS_SOON: Reading = { type: "event", ends: "soon" };
export const ENDS_NOW: Reading = { type: "event", ends: "now" };

/** Whether the object has no member beside these, not counting members that say nothing. */
export function hasOnly(object: JsonObject, names: ReadonlySet<string>): boolean {
  for (const name in object) {
    if (names.has(name)) continue;
    const value = object[name];
    if (value === null || value === "" || value === undefined) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    return false;
  }
  return true;
}

/** A string or number as text; anything else says nothing. */
export const word = (value: Json | undefined): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

/** The only member of an array that is an object, or null. */
export function only(value: Json | undefined): JsonObject | null {
  if (!Array.isArray(value) || value.length !== 1) return null;
  const [first] = value as readonly unknown[];
  return isJsonObject(first) ? first : null;
}
