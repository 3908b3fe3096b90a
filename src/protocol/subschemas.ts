import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";

/** A schema within a schema. */
export interface Subschema {
  /** JSON pointer to it; `""` for the whole. */
  readonly place: string;
  readonly schema: JsonObject;
}

/** Keywords whose value is a schema, or a list of them. */
const HOLDS_SCHEMAS: ReadonlySet<string> = new Set([
  "additionalItems",
  "additionalProperties",
  "allOf",
  "anyOf",
  "contains",
  "contentSchema",
  "else",
  "if",
  "items",
  "not",
  "oneOf",
  "prefixItems",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/** Keywords whose value names schemas. */
const NAMES_SCHEMAS: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependencies",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

/** The schema and all schemas in it, outer ones first; what only looks like one, as in `enum`, is none. Booleans are left out. */
export function subschemas(schema: Json | undefined, place = ""): readonly Subschema[] {
  if (!isJsonObject(schema)) return [];
  const inner = Object.entries(schema).flatMap(([keyword, value]) => {
    const here = `${place}/${escaped(keyword)}`;
    if (HOLDS_SCHEMAS.has(keyword))
      return Array.isArray(value)
        ? value.flatMap((one: Json, n) => subschemas(one, `${here}/${n}`))
        : subschemas(value, here);
    if (!NAMES_SCHEMAS.has(keyword) || !isJsonObject(value)) return [];
    return Object.entries(value).flatMap(([name, one]) =>
      subschemas(one, `${here}/${escaped(name)}`),
    );
  });
  return [{ place, schema }, ...inner];
}

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
