import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { parseTree, printParseErrorCode, type ParseError } from "jsonc-parser";
import { compileSchema, MOST_SCHEMA_BYTES } from "../protocol/answer-schema.ts";
import type { JsonObject } from "../shared/json.ts";
import { usage } from "./usage.ts";

/** The schema that a flag names, fit to be used. Throws `usage` with the flag, the file and the place in it. */
export function readSchemaFile(flag: string, path: string): JsonObject {
  const place = `${flag}: ${path}`;
  const value = parse(place, readText(place, path));
  const schema = compileSchema(value);
  if (typeof schema !== "string") return schema.schema;
  throw usage(
    `${place} is no schema that can be used: ${schema}`,
    "correct the schema at that place",
  );
}

function readText(place: string, path: string): string {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a FIFO of that name would keep us for ever.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR")
      throw usage(`${place} does not exist`, "name a file that holds a JSON Schema");
    throw usage(
      `${place} cannot be read (${String(code ?? error)})`,
      "make it readable for this user",
    );
  }
  try {
    const about = fstatSync(descriptor);
    if (!about.isFile())
      throw usage(`${place} is no regular file`, "write the schema to a file and name that");
    if (about.size > MOST_SCHEMA_BYTES)
      throw usage(
        `${place} is larger than ${MOST_SCHEMA_BYTES / 1024} KiB`,
        "use a smaller schema",
      );
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(descriptor));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usage(`${place} is no UTF-8 text`, "save it as UTF-8");
  } finally {
    closeSync(descriptor);
  }
}

function parse(place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`${place}:${faultIn(text)}`, "correct the file at that place");
  }
}

/** `line:column: what is wrong`, both from 1. */
function faultIn(text: string): string {
  const errors: ParseError[] = [];
  try {
    parseTree(text, errors, { disallowComments: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return "1:1: no JSON, and nested too deeply";
  }
  const [first] = errors;
  const before = text.slice(0, first?.offset ?? 0).split("\n");
  const code = first === undefined ? "" : `: ${inWords(printParseErrorCode(first.error))}`;
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}: no JSON${code}`;
}

/** `CloseBraceExpected` → `close brace expected`. */
const inWords = (code: string): string =>
  code.replace(/[A-Z]/g, (letter, at) => `${at === 0 ? "" : " "}${letter.toLowerCase()}`);
