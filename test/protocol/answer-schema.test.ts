import { expect, test } from "vitest";
import { compileSchema, MOST_SCHEMA_BYTES } from "../../src/protocol/answer-schema.ts";
import type { Json } from "../../src/shared/json.ts";

const DRAFT_7 = "http://json-schema.org/draft-07/schema#";
const DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema";

function violations(schema: Json, value: Json): readonly string[] {
  const compiled = compileSchema(schema);
  if (typeof compiled === "string") throw new Error(compiled);
  return compiled.violations(value);
}

const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } },
  required: ["name"],
  additionalProperties: false,
};

test("a value that follows its schema has no violations, and all of another's are named with their place", () => {
  expect(violations(person, { name: "Ada", age: 36 })).toEqual([]);
  expect(violations(person, { age: -1, size: 3 })).toEqual([
    "the answer must have required property 'name'",
    'the answer must NOT have additional properties: "size"',
    "/age must be >= 0",
  ]);
  expect(violations({ enum: ["a", "b"] }, "c")).toEqual([
    'the answer must be equal to one of the allowed values: ["a","b"]',
  ]);
});

test("what is named of the violations is bounded", () => {
  const list = { type: "array", items: { type: "integer" } };
  const found = violations(
    list,
    Array.from({ length: 50 }, () => "x"),
  );
  expect(found).toHaveLength(11);
  expect(found.at(-1)).toBe("and 40 more");
  const [long = ""] = violations({ enum: ["x".repeat(5000)] }, 1);
  expect(long.length).toBe(300);
});

test.each([
  [DRAFT_7, { type: "array", items: [{ type: "string" }] }],
  [DRAFT_7.replace("#", ""), { type: "array", items: [{ type: "string" }] }],
  [DRAFT_2020, { type: "array", prefixItems: [{ type: "string" }] }],
  [undefined, { type: "array", prefixItems: [{ type: "string" }] }],
])("a schema that names %s is read in that draft", (draft, schema) => {
  const named = draft === undefined ? schema : { $schema: draft, ...schema };
  expect(violations(named, ["x"])).toEqual([]);
  expect(violations(named, [1])).toEqual(["/0 must be string"]);
});

test("formats are checked", () => {
  const dated = { type: "string", format: "date" };
  expect(violations(dated, "2026-11-21")).toEqual([]);
  expect(violations(dated, "soon")).toEqual(['the answer must match format "date"']);
});

test("references within the schema are followed, in circles too", () => {
  const tree = {
    $ref: "#/$defs/node",
    $defs: {
      node: {
        type: "object",
        properties: { next: { $ref: "#/$defs/node" } },
        additionalProperties: false,
      },
    },
  };
  expect(violations(tree, { next: { next: {} } })).toEqual([]);
  expect(violations(tree, { next: { next: 1 } })).toEqual(["/next/next must be object"]);
});

test("types in a union and alternatives over required fields are no mistakes", () => {
  const either = {
    type: "object",
    properties: { a: { type: ["string", "null"] }, b: { type: "string" } },
    anyOf: [{ required: ["a"] }, { required: ["b"] }],
  };
  expect(violations(either, { a: null })).toEqual([]);
  expect(violations(either, {})).not.toEqual([]);
});

test.each<[string, unknown, string]>([
  ["a list", [], "it is no JSON object"],
  ["a boolean", true, "it is no JSON object"],
  [
    "a type that there is not",
    { type: "object", properties: { a: { type: "strin" } } },
    "/properties/a/type must be equal to one of the allowed values",
  ],
  [
    "a keyword that there is not",
    { type: "object", properties: { typ: { type: "object", properties: { a: { typ: "x" } } } } },
    "/properties/typ/properties/a/typ is an unknown keyword",
  ],
  [
    "a format that there is not",
    { type: "object", properties: { a: { type: "string", format: "colour" } } },
    'unknown format "colour" ignored in schema at path "#/properties/a"',
  ],
  [
    "a keyword for another type",
    { type: "object", properties: { a: { minimum: 3 } } },
    'missing type "number" for keyword "minimum" at "#/properties/a"',
  ],
  ["a pattern that is none", { type: "string", pattern: "(" }, "Invalid regular expression"],
  [
    "a reference to elsewhere",
    { type: "object", properties: { a: { $ref: "https://example.com/b.json" } } },
    '/properties/a/$ref "https://example.com/b.json" leads elsewhere, and nothing is fetched',
  ],
  [
    "a reference to nowhere",
    { type: "object", properties: { a: { $ref: "#/$defs/b" } } },
    '/properties/a/$ref "#/$defs/b" leads nowhere',
  ],
  [
    "another draft",
    { $schema: "http://json-schema.org/draft-04/schema#" },
    '/$schema is "http://json-schema.org/draft-04/schema#"',
  ],
  ["an asynchronous one", { $async: true, type: "object" }, "/$async"],
  ["too much", { type: "string", title: "x".repeat(MOST_SCHEMA_BYTES) }, "larger than 256 KiB"],
  ["nesting without end", nested(20_000), "larger than 256 KiB"],
])("%s is no schema, and it is said where", (_, schema, says) => {
  expect(compileSchema(schema)).toEqual(expect.stringContaining(says));
});

test("a pattern that would take for ever is given up", { timeout: 20_000 }, () => {
  const slow = { type: "string", pattern: "^(a+)+$" };
  expect(violations(slow, "aaa")).toEqual([]);
  expect(violations(slow, `${"a".repeat(60)}!`)).toEqual([
    "the answer could not be checked within 2 s",
  ]);
});

test("a value that the library cannot compare is refused, not a crash", () => {
  expect(violations({ enum: [{ valueOf: 0 }] }, { valueOf: 0 })).toEqual([
    expect.stringContaining("the answer could not be checked"),
  ]);
});

test("a value that is nested too deeply follows no schema", () => {
  const tree = { $ref: "#/$defs/n", $defs: { n: { type: "array", items: { $ref: "#/$defs/n" } } } };
  const deep: Json = JSON.parse("[".repeat(50_000) + "]".repeat(50_000));
  expect(violations(tree, deep)).toEqual(["the answer is nested too deeply"]);
});

function nested(depth: number): Json {
  let schema: Json = { type: "string" };
  for (let n = 0; n < depth; n += 1) schema = { type: "array", items: schema };
  return schema;
}
