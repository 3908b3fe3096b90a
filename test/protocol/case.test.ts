import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toCamel, toSnake } from "../../src/protocol/case.ts";

const key = fc.stringMatching(/^[a-z][a-z0-9]{0,5}([A-Z][a-z0-9]{0,5}){0,3}$/);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

test("keys of ours come back from the wire as they went, values are left alone", () => {
  fc.assert(
    fc.property(tree, (value) => {
      const wire = toSnake(value);
      expect(keysOf(wire).filter((name) => /[A-Z]/.test(name))).toEqual([]);
      expect(toCamel(wire)).toEqual(value);
    }),
  );
});

test("only names change: text that looks like a name does not", () => {
  expect(toSnake({ runId: "runId", parts: [{ isError: true }], gone: undefined })).toEqual({
    run_id: "runId",
    parts: [{ is_error: true }],
  });
  expect(toCamel({ exit_code: 1, cost_per_1m: "a_b" })).toEqual({ exitCode: 1, costPer1m: "a_b" });
});

test("what stands under `schema` and `structured` is the user's, and keeps its names", () => {
  const own = { fileName: { file_name: 1, "a-b": [{ isSafe: true }] } };
  expect(toSnake({ maxTurns: 1, schema: own, structured: own })).toEqual({
    max_turns: 1,
    schema: own,
    structured: own,
  });
  expect(toCamel({ max_turns: 1, schema: own })).toEqual({ maxTurns: 1, schema: own });
  expect(toCamel({ structured: null })).toEqual({ structured: null });
});

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [name, ...keysOf(item)]);
}
