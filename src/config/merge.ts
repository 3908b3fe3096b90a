import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";

/** `over` on top of `base`: objects deep-merged, arrays concatenated, anything else replaced. protocol.md section 10.1. */
export function merge(base: JsonObject, over: JsonObject): JsonObject {
  const merged = new Map<string, Json | undefined>(Object.entries(base));
  for (const [key, value] of Object.entries(over))
    merged.set(key, mergeValue(merged.get(key), value));
  return Object.fromEntries(merged); // defines `__proto__` as a plain property
}

function mergeValue(base: Json | undefined, over: Json | undefined): Json | undefined {
  if (isJsonObject(base) && isJsonObject(over)) return merge(base, over);
  if (Array.isArray(base) && Array.isArray(over)) return [...base, ...over] as Json;
  return over;
}
