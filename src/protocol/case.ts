import { isJsonObject, type Json } from "../shared/json.ts";

/**
 * Renames the keys of a value between our camelCase and the wire's snake_case, deeply. Only for shapes whose keys are all ours:
 * never for maps keyed by user data.
 */
export function toSnake(value: unknown): Json {
  return rename(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

export function toCamel(value: unknown): Json {
  return rename(value, (key) =>
    key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

function rename(value: unknown, key: (name: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => rename(item, key));
  if (!isJsonObject(value)) return value as Json;
  const renamed: Record<string, Json> = {};
  for (const [name, item] of Object.entries(value)) {
    if (item !== undefined) renamed[key(name)] = rename(item, key);
  }
  return renamed;
}
