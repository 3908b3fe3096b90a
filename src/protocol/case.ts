import { isJsonObject, type Json } from "../shared/json.ts";

/**
 * Renames the keys of a value between our camelCase and the wire's snake_case, deeply. Only for shapes whose keys are all ours,
 * but for those under `schema` and `structured`, which are passed on as they are: never for other maps keyed by user data.
 */
export function toSnake(value: unknown): Json {
  return rename(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

export function toCamel(value: unknown): Json {
  return rename(value, (key) =>
    key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

const NOT_OURS: ReadonlySet<string> = new Set(["schema", "structured"]);

function rename(value: unknown, key: (name: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => rename(item, key));
  if (!isJsonObject(value)) return value as Json;
  const renamed: Record<string, Json> = {};
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    renamed[key(name)] = NOT_OURS.has(name) ? item : rename(item, key);
  }
  return renamed;
}
