import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { parse } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { configJsonSchema, FIELD_NOTES } from "../../src/config/json-schema.ts";
import { KNOWN_FIELDS } from "../../src/config/schema.ts";
import { isJsonObject, type Json } from "../../src/shared/json.ts";

const schema = configJsonSchema();
const validate = new Ajv({ strict: true, allErrors: true }).compile(schema);

/** What an editor would underline. */
const underlined = (config: unknown): readonly string[] => {
  validate(config);
  return (validate.errors ?? []).map(
    ({ instancePath, keyword, params }) =>
      `${instancePath} ${keyword}${keyword === "additionalProperties" ? ` ${String(params["additionalProperty"])}` : ""}`,
  );
};

/** Every JSON object in a page of the documentation that is a configuration. */
function documented(page: string): readonly (readonly [string, string])[] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), "utf8");
  return [...text.matchAll(/```jsonc?\n(\{[\s\S]*?\})\n```/g)].map(
    ([, example = ""], at) => [`${page} ${at + 1}`, example] as const,
  );
}

describe("the JSON Schema of crush.json", () => {
  test.each(documented("configuration.md"))("the example %s validates", (_name, example) => {
    expect(underlined(parse(example, [], { allowTrailingComma: true }))).toEqual([]);
  });

  test("the documentation has examples to check", () => {
    expect(documented("configuration.md").length).toBeGreaterThan(1);
  });

  test("a wrong type and a misspelt name are underlined, at any depth", () => {
    expect(
      underlined({
        model: {},
        models: { large: { model: 1, modle: "m" } },
        providers: { p: { models: [{ nmae: "x" }], typ: "openai" } },
        options: { disabled_tools: "bash" },
      }),
    ).toEqual([
      " additionalProperties model",
      "/models/large additionalProperties modle",
      "/models/large/model type",
      "/providers/p additionalProperties typ",
      "/providers/p/models/0 required",
      "/providers/p/models/0 additionalProperties nmae",
      "/options/disabled_tools type",
    ]);
  });

  test("names that are known and not looked at may hold anything", () => {
    const anything = { $schema: 1, recent_models: [], options: { tui: {}, debug: "yes" } };
    expect(underlined({ ...anything, providers: { p: { oauth: true } } })).toEqual([]);
  });

  test("every field that a run knows is in it", () => {
    for (const [path, names] of KNOWN_FIELDS)
      for (const name of names)
        expect([path, name, nodesAt([...path, name]).length > 0]).toContain(true);
  });

  test.each(Object.keys(FIELD_NOTES))("the note on %s is on a field that is there", (path) => {
    const nodes = nodesAt(path.split("."));
    expect(nodes.length).toBeGreaterThan(0);
    for (const node of nodes) expect(isJsonObject(node) && node["description"]).toBeTruthy();
  });
});

function nodesAt(path: readonly string[]): readonly Json[] {
  return path.reduce<readonly Json[]>(
    (nodes, step) =>
      nodes.filter(isJsonObject).flatMap((node) => {
        const { properties, additionalProperties, items } = node;
        const named = isJsonObject(properties) ? properties : {};
        const found =
          step === "*" ? [...Object.values(named), additionalProperties, items] : [named[step]];
        return found.filter((one) => one !== undefined && one !== false);
      }),
    [schema],
  );
}
