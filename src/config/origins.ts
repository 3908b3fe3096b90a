import { isJsonObject, type Json } from "../shared/json.ts";
import type { ConfigFile, FieldPath } from "./config-file.ts";

/** Where a value of the merged configuration stands: a string, number, truth value or null. */
export interface Origin {
  /** Its place in the merged configuration. */
  readonly field: FieldPath;
  readonly file: ConfigFile;
  /** Its place in the file: another one for what stands in an array, since arrays are joined. */
  readonly at: FieldPath;
}

type Node =
  | { readonly type: "object"; readonly entries: ReadonlyMap<string, Node> }
  | { readonly type: "array"; readonly items: readonly Node[] }
  | { readonly type: "value"; readonly file: ConfigFile; readonly at: FieldPath };

/** The origin of each value of `files`, merged as `merge` does, lowest priority first. */
export function originsOf(files: readonly ConfigFile[]): readonly Origin[] {
  const root = files
    .map((file) => nodeOf(file.value, file, []))
    .reduce(merged, { type: "object", entries: new Map() });
  return flat(root, []);
}

function nodeOf(value: Json | undefined, file: ConfigFile, at: FieldPath): Node {
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(
      ([name, inner]) => [name, nodeOf(inner, file, [...at, name])] as const,
    );
    return { type: "object", entries: new Map(entries) };
  }
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return {
      type: "array",
      items: list.map((inner, index) => nodeOf(inner, file, [...at, index])),
    };
  }
  return { type: "value", file, at };
}

function merged(base: Node, over: Node): Node {
  if (base.type === "array" && over.type === "array")
    return { type: "array", items: [...base.items, ...over.items] };
  if (base.type !== "object" || over.type !== "object") return over;
  const entries = new Map(base.entries);
  for (const [name, node] of over.entries) {
    const below = entries.get(name);
    entries.set(name, below === undefined ? node : merged(below, node));
  }
  return { type: "object", entries };
}

function flat(node: Node, field: FieldPath): readonly Origin[] {
  switch (node.type) {
    case "value":
      return [{ field, file: node.file, at: node.at }];
    case "array":
      return node.items.flatMap((item, index) => flat(item, [...field, index]));
    case "object":
      return [...node.entries].flatMap(([name, inner]) => flat(inner, [...field, name]));
  }
}
