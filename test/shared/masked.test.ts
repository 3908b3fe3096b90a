import { expect, test } from "vitest";
import { masked } from "../../src/shared/masked.ts";

test("every occurrence of every secret is blotted out", () => {
  expect(masked("a sk-1 b sk-1 tok$& c", ["sk-1", "tok$&"])).toBe("a *** b *** *** c");
});

test("an empty secret is none", () => {
  expect(masked("abc", [""])).toBe("abc");
});
