import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { eventSchema, resultSchema } from "../../src/run/output-schema.ts";
import { isJsonObject, type Json, type JsonObject } from "../../src/shared/json.ts";

/**
 * The published schemas, held to the letter: a field or a type of event that is not in them is wrong here, though a reader takes it. Each
 * returns what is wrong with a document of ours; nothing, as a rule.
 */
export const wrongInResult = (document: unknown): readonly string[] =>
  wrongIn(closed(resultSchema()), document);

export function wrongInLine(line: JsonObject): readonly string[] {
  const { $defs: published, ...open } = eventSchema();
  const $defs = isJsonObject(published) ? published : {};
  const { type } = line;
  if (typeof type !== "string" || !Object.hasOwn($defs, type))
    return [`the type ${JSON.stringify(type)} is not published`];
  return wrongIn({ ...open, $defs: closed($defs) }, line);
}

function wrongIn(schema: JsonObject, document: unknown): readonly string[] {
  const check = compiled(schema);
  if (check(document)) return [];
  return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictTypes: false,
});
const validators = new Map<string, ValidateFunction>();

function compiled(schema: JsonObject): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = validators.get(key);
  if (known !== undefined) return known;
  const { $id: _, ...rest } = schema;
  const made = ajv.compile(rest);
  validators.set(key, made);
  return made;
}

/** Without room for what is not named. */
function closed<T extends Json | undefined>(schema: T): T;
function closed(schema: Json | undefined): Json | undefined {
  if (Array.isArray(schema)) return schema.map((one) => closed(one));
  if (!isJsonObject(schema)) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([name, one]) => [name, closed(one)]),
  );
  const isOpen = isJsonObject(schema["properties"]) && schema["type"] !== undefined;
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}
