import { subschemas } from "../protocol/subschemas.ts";
import type { ToolSpec } from "../provider/language-model.ts";
import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";

/** How a model is asked for an answer that follows a schema: by the input of a tool that ends the turn. */
export interface AnswerForm {
  readonly tool: ToolSpec;
  /** For the system prompt. */
  readonly instructions: string;
  /** The answers that an input of the tool may stand for, the likeliest first. `json` is what the input was read from. */
  readonly read: (input: Json, json: string) => readonly Candidate[];
}

/** What may be the answer. */
export interface Candidate {
  readonly value: Json;
  /** The JSON text that it was read from, with more around it perhaps; null for what was not read from any. */
  readonly json: string | null;
}

export const ANSWER_TOOL = "final_answer";

/** The member in which an answer stands that cannot be the input itself. */
const FIELD = "answer";

/**
 * The tool's input is the schema itself where every API takes it: an input has to be an object, of a plain kind. Another answer stands in
 * the field `answer`, and one whose schema an API might refuse or misread stands there as JSON text.
 */
export function answerForm(schema: JsonObject): AnswerForm {
  const { $schema: _draft, $id: _id, ...told } = withoutFormats(schema);
  const all = subschemas(told).map((one) => one.schema);
  if (!all.every(isTaken)) return form(inField(AS_TEXT), schema, readText);
  const isWhole = subschemas(schema).every((one) => isUnderstood(one.schema));
  const whole = isWhole ? null : schema;
  if (!isInput(told)) return form(inField(told), whole, readField);
  return form({ ...told, properties: told["properties"] ?? {} }, whole, (value, json) => [
    { value, json },
  ]);
}

/** Some APIs refuse a format that they do not know. */
function withoutFormats(schema: JsonObject): JsonObject {
  const copy = structuredClone(schema);
  for (const { schema: one } of subschemas(copy)) Reflect.deleteProperty(one, "format");
  return copy;
}

const DESCRIPTION =
  "Give the final answer and end the turn. Its input is the output of the command: call it once, alone, when everything else is done.";

/** `untold`: the schema, where the tool does not tell every API all of it. */
function form(
  inputSchema: JsonObject,
  untold: JsonObject | null,
  read: AnswerForm["read"],
): AnswerForm {
  const all =
    untold === null
      ? ""
      : `\n\nThe answer has to follow this JSON Schema in every point:\n\n${JSON.stringify(untold)}`;
  return {
    tool: { name: ANSWER_TOOL, description: DESCRIPTION, inputSchema },
    instructions: `# How you answer

Your answer is the input of the tool \`${ANSWER_TOOL}\`, and nothing else that you say is part of the output. Use your other tools first; when all is done, call \
\`${ANSWER_TOOL}\` once and alone. It is checked against a JSON Schema: if it is refused, correct what is named and call it again.${all}`,
    read,
  };
}

const AS_TEXT: JsonObject = {
  type: "string",
  description: "The answer, a JSON document as text; the system prompt has its schema",
};

/** References lead from the root: what they lead to stays there. */
function inField(answer: JsonObject): JsonObject {
  const { $defs, definitions, ...rest } = answer;
  return {
    type: "object",
    properties: { [FIELD]: rest },
    required: [FIELD],
    additionalProperties: false,
    ...($defs === undefined ? {} : { $defs }),
    ...(definitions === undefined ? {} : { definitions }),
  };
}

const readField: AnswerForm["read"] = (input, json) => [{ value: inFieldOr(input), json }];

/** A text that is meant as itself is no JSON, or follows the schema where its value does not. */
const readText: AnswerForm["read"] = (input, json) => {
  const answer = inFieldOr(input);
  if (typeof answer !== "string") return [{ value: answer, json }];
  const value = parsed(answer);
  const itself = { value: answer, json: null };
  return value === undefined ? [itself] : [{ value, json: answer }, itself];
};

/** What stands in the field, or else the input itself. */
function inFieldOr(input: Json): Json {
  const answer = isJsonObject(input) && Object.hasOwn(input, FIELD) ? input[FIELD] : undefined;
  return answer === undefined ? input : answer;
}

/** The JSON value of a text; undefined when it is none. */
export function parsed(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** APIs want an object at the root, and no alternatives there. */
const isInput = (schema: JsonObject): boolean =>
  schema["type"] === "object" && !ALTERNATIVES.some((keyword) => Object.hasOwn(schema, keyword));

const ALTERNATIVES = ["allOf", "anyOf", "oneOf", "enum", "const", "$ref", "not"] as const;

/** What says nothing of an answer. */
const ABOUT: ReadonlySet<string> = new Set(["$schema", "$id"]);

/** What every API understands, or passes to the model. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  "$comment",
  "additionalProperties",
  "allOf",
  "anyOf",
  "const",
  "default",
  "description",
  "enum",
  "examples",
  "items",
  "oneOf",
  "properties",
  "required",
  "title",
  "type",
]);

/** What no API refuses, although some of them keep it from the model. */
const TAKEN: ReadonlySet<string> = new Set([
  ...UNDERSTOOD,
  "$defs",
  "$ref",
  "definitions",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "multipleOf",
  "pattern",
  "uniqueItems",
]);

function isTaken(schema: JsonObject): boolean {
  const { type, items, properties = {}, $ref } = schema;
  const isSaid = [type, ...ALTERNATIVES.map((keyword) => schema[keyword])].some(
    (value) => value !== undefined,
  );
  const isList = type === "array" || (Array.isArray(type) && type.includes("array"));
  return (
    isSaid &&
    Object.keys(schema).every((keyword) => TAKEN.has(keyword)) &&
    (!isList || isJsonObject(items)) &&
    isJsonObject(properties) &&
    Object.entries(properties).every(([name, one]) => isJsonObject(one) && NAME.test(name)) &&
    ALTERNATIVES.every((keyword) => isListOfSchemas(keyword, schema[keyword])) &&
    ($ref === undefined || (typeof $ref === "string" && LOCAL.test($ref)))
  );
}

function isListOfSchemas(keyword: string, value: Json | undefined): boolean {
  if (value === undefined || !keyword.endsWith("Of")) return true;
  return Array.isArray(value) && value.every(isJsonObject);
}

const NAME = /^[\w.-]{1,64}$/;
/** To a schema at the root that has a name. */
const LOCAL = /^#\/(?:\$defs|definitions)\/[\w.-]+$/;

const isUnderstood = (schema: JsonObject): boolean =>
  Object.keys(schema).every((keyword) => UNDERSTOOD.has(keyword) || ABOUT.has(keyword)) &&
  !isJsonObject(schema["additionalProperties"]);
