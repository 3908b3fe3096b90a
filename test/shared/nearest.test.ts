import { expect, test } from "vitest";
import { nearest } from "../../src/shared/nearest.ts";

test("the most similar come first, whatever their case, and strangers are left out", () => {
  const ids = ["gpt-5", "gpt-5-mini", "GPT-5.1", "claude-opus-4-7"];
  expect(nearest("gpt-5.2", ids, 3)).toEqual(["GPT-5.1", "gpt-5"]);
  expect(nearest("gpt-5.2", ids, 1)).toEqual(["GPT-5.1"]);
  expect(nearest("", ids, 3)).toEqual([]);
});

test("the beginning of a name is enough, and three letters from its middle", () => {
  const refs = ["demo/offline", "one/some-offline-thing", "offline", "office"];
  expect(nearest("demo/of", refs, 3)).toEqual(["demo/offline"]);
  expect(nearest("OFF", refs, 2)).toEqual(["office", "offline"]);
  expect(nearest("thing", refs, 3)).toEqual(["one/some-offline-thing"]);
  expect(nearest("th", refs, 3)).toEqual([]);
  expect(nearest("d", refs, 3)).toEqual([]);
});
