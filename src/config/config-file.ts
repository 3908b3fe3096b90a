import { closeSync, fstatSync, openSync, readFileSync, statSync, constants } from "node:fs";
import type { Node, ParseError } from "jsonc-parser";
import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";
import { failure, RunFailed } from "../protocol/ending.ts";

/** A configuration file that was read. */
export interface ConfigFile {
  readonly path: string;
  /** Whether it comes with the code: what it names takes effect only when the directory is trusted. */
  readonly fromProject: boolean;
  readonly text: string;
  readonly value: JsonObject;
}

export type FieldPath = readonly (string | number)[];

const MAX_BYTES = 1024 * 1024;

export function invalidConfig(message: string, remedy: string, cause?: unknown): RunFailed {
  return new RunFailed(failure("invalid_config", message, { remedy }), { cause });
}

/** Null when it is missing, empty or holds only comments. JSON with comments and trailing commas. Throws `RunFailed`. */
export async function readConfigFile(
  path: string,
  fromProject: boolean,
): Promise<ConfigFile | null> {
  const text = readText(path);
  if (text === null || text.trim() === "") return null;
  const value = await parse(path, text);
  return value === null ? null : { path, fromProject, text, value };
}

/** Who owns it, or null when it does not exist. */
export const ownerOf = (path: string): number | null =>
  statSync(path, { throwIfNoEntry: false })?.uid ?? null;

function readText(path: string): string | null {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a FIFO of that name would keep us for ever.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return null;
    throw invalidConfig(
      `cannot read ${path} (${code})`,
      "make it readable for this user or take it away",
      error,
    );
  }
  try {
    const about = fstatSync(descriptor);
    if (about.isCharacterDevice()) return null; // a link to /dev/null switches a file off
    if (!about.isFile())
      throw invalidConfig(`${path} is not a file`, "put a JSON file there or take it away");
    if (about.size > MAX_BYTES)
      throw invalidConfig(
        `${path} is larger than 1 MiB`,
        "a configuration file is a small JSON file",
      );
    return readFileSync(descriptor, "utf8").replace(/^\uFEFF/, "");
  } finally {
    closeSync(descriptor);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

async function parse(path: string, text: string): Promise<JsonObject | null> {
  let value: unknown;
  try {
    value = JSON.parse(text); // the usual file needs no other parser
  } catch {
    const { parseTree, printParseErrorCode } = await import("jsonc-parser");
    const errors: ParseError[] = [];
    const tree = withinStack(path, () => parseTree(text, errors, { allowTrailingComma: true }));
    // A document of nothing but comments.
    if (
      tree === undefined &&
      errors.every((one) => printParseErrorCode(one.error) === "ValueExpected")
    )
      return null;
    const [first] = errors;
    if (first)
      throw invalidConfig(
        `${path}:${position(text, first.offset)}: invalid JSON: ${inWords(printParseErrorCode(first.error))}`,
        "correct the file at that place",
      );
    value = tree && withinStack(path, () => ownValue(tree));
  }
  if (!isJsonObject(value))
    throw invalidConfig(
      `${path}:1:1: must hold a JSON object`,
      'write the settings between { and }, for example {"options": {}}',
    );
  return value;
}

/**
 * The value of a tree, all of it own properties. The parser's own `parse` makes `__proto__` the prototype, from where a value is
 * read but not seen by whoever goes through the entries, as the trust rule does.
 */
function ownValue(node: Node): Json {
  const children = node.children ?? [];
  if (node.type === "array") return children.map(ownValue);
  if (node.type !== "object") return node.value as Json;
  return Object.fromEntries(
    children.flatMap(({ children: [key, value] = [] }) =>
      key && value ? [[String(key.value), ownValue(value)]] : [],
    ),
  );
}

/** A stranger's file may be a million brackets. */
function withinStack<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidConfig(`${path} is nested too deeply`, "a configuration file is flat", error);
  }
}

/** `CloseBraceExpected` → `close brace expected`. */
const inWords = (code: string): string =>
  code.replace(/[A-Z]/g, (letter, at) => `${at === 0 ? "" : " "}${letter.toLowerCase()}`);

/** `line:column`, both from 1. */
function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** `file:line:column` of a field's value, or of the deepest of its parents that is there. */
export async function whereIs(file: ConfigFile, field: FieldPath): Promise<string> {
  const { parseTree, findNodeAtLocation } = await import("jsonc-parser");
  const tree = withinStack(file.path, () => parseTree(file.text, [], { allowTrailingComma: true }));
  for (let length = field.length; length > 0; length -= 1) {
    const node = tree && findNodeAtLocation(tree, field.slice(0, length));
    if (node) return `${file.path}:${position(file.text, node.offset)}`;
  }
  return `${file.path}:1:1`;
}

/** Tells the place of a field of the merged configuration: in the last file that has it, or its nearest parent. */
export function locator(files: readonly ConfigFile[]): (field: FieldPath) => Promise<string> {
  return async (field) => {
    for (let length = field.length; length > 0; length -= 1) {
      const part = field.slice(0, length);
      const file = files.findLast((one) => valueAt(one.value, part) !== undefined);
      if (file) return await whereIs(file, part);
    }
    return "configuration";
  };
}

/** `providers.openai.models[0].id` */
export const fieldName = (field: FieldPath): string =>
  field
    .map((key, at) => (typeof key === "number" ? `[${key}]` : at === 0 ? key : `.${key}`))
    .join("");

/** The value at a path of own properties, or undefined. */
export function valueAt(value: unknown, field: FieldPath): unknown {
  return field.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

export function keysAt(file: ConfigFile, field: FieldPath): readonly string[] {
  const value = valueAt(file.value, field);
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}
