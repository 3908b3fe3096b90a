import * as fc from "fast-check";
import { expect, test } from "vitest";
import { valueAt, type ConfigFile, type FieldPath } from "../../src/config/config-file.ts";
import { merge } from "../../src/config/merge.ts";
import { originsOf } from "../../src/config/origins.ts";
import { isJsonObject, type Json, type JsonObject } from "../../src/shared/json.ts";

const fileOf = (value: JsonObject, at: number): ConfigFile => ({
  path: `/${at}`,
  fromProject: false,
  text: JSON.stringify(value),
  value,
});

test("a value comes from the strongest file that has it, and one in an array from its own", () => {
  const files = [
    fileOf({ options: { data_directory: "a", disabled_tools: ["x"] } }, 0),
    fileOf({ options: { data_directory: "b", disabled_tools: ["y", "z"] } }, 1),
  ];
  expect(originsOf(files).map(({ field, file, at }) => [field.join("."), file.path, at])).toEqual([
    ["options.data_directory", "/1", ["options", "data_directory"]],
    ["options.disabled_tools.0", "/0", ["options", "disabled_tools", 0]],
    ["options.disabled_tools.1", "/1", ["options", "disabled_tools", 0]],
    ["options.disabled_tools.2", "/1", ["options", "disabled_tools", 1]],
  ]);
});

const json: fc.Arbitrary<JsonObject> = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 1, "text"),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), tie("value"), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
})).object;

const leaves = (value: Json | undefined, field: FieldPath): readonly FieldPath[] => {
  if (Array.isArray(value)) return value.flatMap((item: Json, at) => leaves(item, [...field, at]));
  if (!isJsonObject(value)) return [field];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...field, name]));
};

test("every value of the merged configuration has one origin, which holds that value", () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 4 }), (values) => {
      const files = values.map(fileOf);
      const merged = values.reduce<JsonObject>(merge, {});
      const origins = originsOf(files);
      const key = (field: FieldPath): string => JSON.stringify(field);
      expect(origins.map(({ field }) => key(field)).sort()).toEqual(
        leaves(merged, []).map(key).sort(),
      );
      for (const { field, file, at } of origins)
        expect(valueAt(file.value, at)).toEqual(valueAt(merged, field));
    }),
  );
});
