import * as fc from "fast-check";
import { expect, test } from "vitest";
import { merge } from "../../src/config/merge.ts";
import type { JsonObject } from "../../src/shared/json.ts";

test("objects are merged deeply, arrays joined, everything else replaced", () => {
  expect(
    merge(
      { a: 1, list: [1], deep: { x: 1, y: [1] }, kind: {} },
      { a: null, list: [2], deep: { y: [2], z: 3 }, kind: "text" },
    ),
  ).toEqual({ a: null, list: [1, 2], deep: { x: 1, y: [1, 2], z: 3 }, kind: "text" });
});

test("merging is associative and has {} as its neutral element", () => {
  const object = fc.dictionary(
    fc.constantFrom("a", "b", "__proto__"),
    fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 2 }, fc.nat(3), fc.array(fc.nat(3)), tie("object")),
      object: fc.dictionary(fc.constantFrom("a", "b"), tie("value")),
    })).value,
  ) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(object, (one) => {
      expect(merge({}, one)).toEqual(merge(one, {}));
    }),
  );
  const alike = fc.dictionary(fc.constantFrom("a", "b"), fc.array(fc.nat(3)), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(alike, alike, alike, (one, two, three) => {
      expect(merge(merge(one, two), three)).toEqual(merge(one, merge(two, three)));
    }),
  );
});

test("a key named __proto__ changes no prototype", () => {
  const merged = merge({}, JSON.parse('{"__proto__":{"polluted":true}}') as JsonObject);
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  expect(merged["polluted"]).toBeUndefined();
});
