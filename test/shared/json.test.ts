import { expect, test } from "vitest";
import { assertNever } from "../../src/shared/assert-never.ts";
import { isJsonObject } from "../../src/shared/json.ts";

test("an object of JSON is neither null nor a list", () => {
  expect([{}, { a: 1 }, [], null, "{}", 0, undefined].map(isJsonObject)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("a value that cannot be is said aloud", () => {
  expect(() => assertNever({ type: "new" } as never)).toThrow('unreachable: {"type":"new"}');
});
