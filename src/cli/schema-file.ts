import { parseTree, printParseErrorCode, type ParseError } from "jsonc-parser";
import { compileSchema, MOST_SCHEMA_BYTES } from "../protocol/answer-schema.ts";
import type { JsonObject } from "../shared/json.ts";
import { readNamedText } from "./named-text.ts";
import { usage } from "./usage.ts";

/** The schema that a flag names, fit to be used. Throws `usage` with the flag, the file and the place in it. */
export function readSchemaFile(flag: string, path: string): JsonObject {
  const place = `${flag}: ${path}`;
  const value = parse(place, readNamedText(`${flag} names ${path}`, path, MOST_SCHEMA_BYTES));
  const schema = compileSchema(value);
  if (typeof schema !== "string") return schema.schema;
  throw usage(
    `${place} is no schema that can be used: ${schema}`,
    "correct the schema at that place",
  );
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
