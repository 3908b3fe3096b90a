import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { rgPath } from "../../scripts/shims/ripgrep.ts";
import stringWidth from "../../scripts/shims/string-width.ts";
import y18n from "../../scripts/shims/y18n.ts";

test.each([
  ["", 0],
  ["crush run --model", 17],
  ["\u001B[1m\u001B[31mred\u001B[39m\u001B[22m", 3],
  ["\u001B]8;;https://example.com\u0007link\u001B]8;;\u0007", 4],
  ["Grüße", 5],
  ["e\u0301", 1],
  ["東京", 4],
  ["한국어", 6],
  ["⠋ thinking", 10],
  ["🗼", 2],
  ["…", 1],
])("the width of %j on a terminal is %i", (text, width) => {
  expect(stringWidth(text)).toBe(width);
});

test("messages of the command line are English, with their values filled in", () => {
  const { __, __n, getLocale } = y18n();
  expect(__("Unknown argument: %s", "foo", () => {})).toBe("Unknown argument: foo");
  const problem = ["Unknown argument: %s", "Unknown arguments: %s"] as const;
  expect(__n(...problem, 1, "a")).toBe("Unknown argument: a");
  expect(__n(...problem, 2, "a, b")).toBe("Unknown arguments: a, b");
  expect(__n("%d left", "%d left", 3)).toBe("3 left");
  expect(getLocale()).toBe("en");
});

test("the path of ripgrep is that of an installed program", () => {
  expect(existsSync(rgPath)).toBe(true);
});
