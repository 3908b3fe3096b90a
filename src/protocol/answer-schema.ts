import { createContext, Script } from "node:vm";
import { Ajv, type ErrorObject, type Options } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";
import { subschemas } from "./subschemas.ts";

/** A JSON Schema that an answer has to follow. */
export interface AnswerSchema {
  readonly schema: JsonObject;
  /** What is wrong with a value, one line each and not too many; none: it follows the schema. */
  violations(value: Json): readonly string[];
}

/** What a schema file may hold, bytes of UTF-8. */
export const MOST_SCHEMA_BYTES = 256 * 1024;

const OPTIONS = {
  strict: true,
  strictRequired: false, // `anyOf` over `required` is how alternatives are written
  strictTuples: false,
  allowUnionTypes: true,
  allowMatchingProperties: true,
  allErrors: true,
  inlineRefs: false,
  logger: false,
} as const satisfies Options;

/** How long the check of one value may take: a pattern can be such that it takes for ever. */
const CHECK_MS = 2_000;
const MOST_VIOLATIONS = 10;
const MOST_CHARACTERS = 300;

/**
 * Draft 7 or 2020-12, as its `$schema` says, without it 2020-12. Nothing is fetched: a reference to elsewhere is refused, and so is a
 * keyword or format that is not known. A string says why there is no such schema, and where.
 */
export function compileSchema(schema: unknown): AnswerSchema | string {
  if (!isJsonObject(schema)) return "it is no JSON object";
  if (isTooLarge(schema)) return `it is larger than ${MOST_SCHEMA_BYTES / 1024} KiB`;
  const ajv = validatorFor(schema["$schema"]);
  if (ajv === null)
    return `/$schema is ${JSON.stringify(schema["$schema"])}; draft 7 (${DRAFT_7}) and 2020-12 (${DRAFT_2020}) are known`;
  try {
    formats.default(ajv);
    if (ajv.validateSchema(schema) !== true) return wordsOf(ajv.errors?.[0], "schema");
    const validate = ajv.compile(schema);
    if ("$async" in validate) return "/$async: a schema that is looked up elsewhere is of no use";
    const check = (value: Json): readonly ErrorObject[] =>
      validate(value) ? [] : (validate.errors ?? []);
    return { schema, violations: (value) => violationsOf(check, value) };
  } catch (error) {
    return refusalOf(error, schema);
  }
}

/** Nesting without end is large too. */
function isTooLarge(schema: JsonObject): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(schema)) > MOST_SCHEMA_BYTES;
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

const DRAFT_7 = "http://json-schema.org/draft-07/schema#";
const DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema";

function validatorFor(draft: Json | undefined): Ajv | Ajv2020 | null {
  const name = typeof draft === "string" ? draft.replace(/#$/, "") : draft;
  if (name === undefined || name === DRAFT_2020) return new Ajv2020(OPTIONS);
  return name === DRAFT_7.replace(/#$/, "") ? new Ajv(OPTIONS) : null;
}

function violationsOf(
  check: (value: Json) => readonly ErrorObject[],
  value: Json,
): readonly string[] {
  let errors: readonly ErrorObject[] = [];
  const work = (): void => {
    errors = check(value);
  };
  try {
    // The one way to stop a regular expression that goes back and forth.
    new Script("work()").runInContext(createContext({ work }), { timeout: CHECK_MS });
  } catch (error) {
    if (error instanceof RangeError) return ["the answer is nested too deeply"];
    // Two objects cannot be compared by the library when one has a field `valueOf` or `toString`.
    if (error instanceof TypeError) return [`the answer could not be checked: ${error.message}`];
    if (codeOf(error) !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return [`the answer could not be checked within ${CHECK_MS / 1000} s`];
  }
  const lines = [...new Set(errors.map((error) => wordsOf(error, "the answer")))];
  const more = lines.length - MOST_VIOLATIONS;
  return more > 0 ? [...lines.slice(0, MOST_VIOLATIONS), `and ${more} more`] : lines;
}

/** `/items/0/price must be number`. */
function wordsOf(error: ErrorObject | undefined, whole: string): string {
  if (error === undefined) return `${whole} is not valid`;
  const { instancePath, message = `breaks ${error.keyword}`, params } = error;
  const line = `${instancePath === "" ? whole : instancePath} ${message}${detailOf(params)}`;
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}

/** What the message leaves out. */
function detailOf(params: Readonly<Record<string, unknown>>): string {
  for (const name of ["additionalProperty", "unevaluatedProperty", "propertyName"])
    if (typeof params[name] === "string") return `: ${JSON.stringify(params[name])}`;
  const allowed = params["allowedValues"] ?? params["allowedValue"];
  return allowed === undefined ? "" : `: ${JSON.stringify(allowed)}`;
}

function refusalOf(error: unknown, schema: JsonObject): string {
  if (error instanceof RangeError) return "it is nested too deeply";
  if (!(error instanceof Error)) throw error;
  const remote = missingRef(error);
  if (remote !== null) {
    const place = placeOf(schema, (one) => refersTo(one, remote));
    const why = remote.startsWith("#")
      ? "leads nowhere"
      : "leads elsewhere, and nothing is fetched";
    return `${place} ${JSON.stringify(remote)} ${why}`;
  }
  const message = error.message.replace(/^strict mode: /, "").replace(/ \(strict\w+\)$/, "");
  const unknown = /^unknown keyword: "(.*)"$/.exec(message)?.[1];
  if (unknown === undefined) return message;
  const place = placeOf(schema, (one) => (Object.hasOwn(one, unknown) ? unknown : null));
  return `${place} is an unknown keyword`;
}

const missingRef = (error: Error): string | null =>
  "missingRef" in error && typeof error.missingRef === "string" ? error.missingRef : null;

/** The keyword by which it refers to `target`, as it resolves. */
function refersTo(schema: JsonObject, target: string): string | null {
  for (const keyword of ["$ref", "$dynamicRef"]) {
    const ref = schema[keyword];
    if (typeof ref === "string" && (ref === target || target.endsWith(ref))) return keyword;
  }
  return null;
}

/** JSON pointer to the first keyword that is looked for. */
function placeOf(schema: JsonObject, keywordIn: (one: JsonObject) => string | null): string {
  for (const one of subschemas(schema)) {
    const keyword = keywordIn(one.schema);
    if (keyword !== null) return `${one.place}/${keyword}`;
  }
  return "the schema";
}

/** The error of another context is no `Error` here. */
const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : null;
