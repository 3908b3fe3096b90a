import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ANSWER_TOOL, answerForm, type AnswerForm } from "../../src/agent/answer-form.ts";
import { compileSchema } from "../../src/protocol/answer-schema.ts";
import type { Json, JsonObject } from "../../src/shared/json.ts";

const person: JsonObject = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false,
};
const AS_TEXT = {
  type: "object",
  properties: { answer: { type: "string", description: expect.any(String) as unknown } },
  required: ["answer"],
  additionalProperties: false,
};

const valuesOf = (read: AnswerForm["read"], input: Json): Json[] =>
  read(input, JSON.stringify(input)).map(({ value }) => value);

test("a plain object is asked for as the input itself, and said once", () => {
  const { tool, instructions, read } = answerForm({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...person,
  });
  expect(tool).toMatchObject({ name: ANSWER_TOOL, inputSchema: person });
  expect(tool.inputSchema).not.toHaveProperty("$schema");
  expect(instructions).toContain(ANSWER_TOOL);
  expect(instructions).not.toContain("additionalProperties");
  expect(valuesOf(read, { name: "Ada" })).toEqual([{ name: "Ada" }]);
});

test.each<[string, JsonObject]>([
  ["a list", { type: "array", items: { type: "string" } }],
  ["a word", { enum: ["yes", "no"] }],
  ["one of two", { oneOf: [person, { type: "null" }] }],
  ["something or nothing", { type: ["object", "null"] }],
])("an answer that is %s stands in a field of the input", (_, schema) => {
  const { tool, read } = answerForm(schema);
  expect(tool.inputSchema).toEqual({
    type: "object",
    properties: { answer: schema },
    required: ["answer"],
    additionalProperties: false,
  });
  expect(valuesOf(read, { answer: ["x"] })).toEqual([["x"]]);
  expect(valuesOf(read, ["x"])).toEqual([["x"]]);
});

test("what references lead to stays at the root", () => {
  const { tool, instructions } = answerForm({
    $ref: "#/$defs/person",
    $defs: { person },
  });
  expect(tool.inputSchema).toMatchObject({
    properties: { answer: { $ref: "#/$defs/person" } },
    $defs: { person },
  });
  expect(instructions).toContain('"$ref":"#/$defs/person"');
});

test.each<[string, JsonObject]>([
  ["a minimum", { type: "integer", minimum: 1 }],
  ["a pattern", { type: "string", pattern: "^a" }],
  ["a format", { type: "string", format: "uri" }],
  ["further fields of a kind", { type: "object", additionalProperties: { type: "string" } }],
])("%s is said in the system prompt too, because some APIs keep it from the model", (_, field) => {
  const schema = { ...person, properties: { field } };
  const { tool, instructions } = answerForm(schema);
  expect(instructions).toContain(JSON.stringify(schema));
  expect(tool.inputSchema).toHaveProperty("properties.field");
  expect(JSON.stringify(tool.inputSchema)).not.toContain('"format"');
});

test.each<[string, JsonObject]>([
  ["a list of a fixed form", { type: "array", prefixItems: [{ type: "string" }] }],
  ["a list of anything", { type: "object", properties: { a: { type: "array" } } }],
  ["anything", { type: "object", properties: { a: {} } }],
  ["a field that must not be", { type: "object", properties: { a: false } }],
  ["a name with a blank", { type: "object", properties: { "a b": { type: "string" } } }],
  ["a condition", { type: "object", dependentSchemas: { a: { required: ["b"] } } }],
  ["a reference to the root", { type: "object", properties: { a: { $ref: "#" } } }],
])("an answer with %s is asked for as text, because some APIs refuse its schema", (_, schema) => {
  const { tool, instructions } = answerForm(schema);
  expect(tool.inputSchema).toEqual(AS_TEXT);
  expect(instructions).toContain(JSON.stringify(schema));
});

test("an answer in text is its JSON, or itself", () => {
  const { read } = answerForm({ $dynamicRef: "#" });
  expect(valuesOf(read, { answer: '{"a":1}' })).toEqual([{ a: 1 }, '{"a":1}']);
  expect(valuesOf(read, { answer: "free" })).toEqual(["free"]);
  expect(valuesOf(read, { answer: { a: 1 } })).toEqual([{ a: 1 }]);
  expect(valuesOf(read, { a: 1 })).toEqual([{ a: 1 }]);
});

test("whatever the schema, the input is an object of a plain kind, and the right answer is read from it", () => {
  fc.assert(
    fc.property(valued(), ([schema, value]) => {
      const compiled = compileSchema(schema);
      if (typeof compiled === "string") throw new Error(`${compiled}: ${JSON.stringify(schema)}`);
      expect(compiled.violations(value)).toEqual([]);
      const { tool, read } = answerForm(schema);
      expect(tool.inputSchema["type"]).toBe("object");
      for (const keyword of ["anyOf", "oneOf", "allOf", "enum", "const", "$ref", "$schema", "not"])
        expect(tool.inputSchema).not.toHaveProperty(keyword);
      const ofTool = compileSchema(tool.inputSchema);
      if (typeof ofTool === "string") throw new Error(ofTool);
      const input = inputFor(tool.inputSchema, value);
      expect(ofTool.violations(input)).toEqual([]);
      const [first = null] = valuesOf(read, input);
      expect(first).toEqual(value);
    }),
    { numRuns: 20 },
  );
});

/** As a model fills it in. */
function inputFor(inputSchema: JsonObject, value: Json): Json {
  const { properties, required } = inputSchema;
  const inField = JSON.stringify(required) === '["answer"]';
  if (!inField) return value;
  const isText = JSON.stringify(properties).includes("a JSON document as text");
  return { answer: isText ? JSON.stringify(value) : value };
}

/** Schemas with a value that follows them. */
function valued(): fc.Arbitrary<readonly [JsonObject, Json]> {
  const { one } = fc.letrec<{ one: readonly [JsonObject, Json] }>((tie) => ({
    one: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.integer().map((n): readonly [JsonObject, Json] => [{ type: "integer", maximum: n }, n]),
      fc.string().map((text): readonly [JsonObject, Json] => [{ type: "string" }, text]),
      // As a text can say it: there is no -0.
      fc
        .jsonValue()
        .map((value): unknown => JSON.parse(JSON.stringify(value)))
        .filter((value) => !/valueOf|toString/.test(JSON.stringify(value)))
        .map((value): readonly [JsonObject, Json] => [{ enum: [value as Json] }, value as Json]),
      tie("one").map(([schema, value]): readonly [JsonObject, Json] => [
        { type: "array", items: schema },
        [value],
      ]),
      tie("one").map(([schema, value]): readonly [JsonObject, Json] => [
        { anyOf: [{ type: "null" }, schema] },
        value,
      ]),
      fc
        .dictionary(
          fc.oneof(
            fc.constantFrom("name", "a b", "größe"),
            fc.string().filter((name) => name !== "__proto__"),
          ),
          tie("one"),
        )
        .map((fields): readonly [JsonObject, Json] => [
          {
            type: "object",
            properties: Object.fromEntries(
              Object.entries(fields).map(([name, [schema]]) => [name, schema]),
            ),
          },
          Object.fromEntries(Object.entries(fields).map(([name, [, value]]) => [name, value])),
        ]),
    ),
  }));
  return one;
}
