import * as fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { wantsColour } from "../../src/cli/colour.ts";
import { fitted } from "../../src/cli/status-line.ts";

const NUMBERS = [" · 12s", " · 340 tokens"];

test.each([
  [80, "running bash · 12s · 340 tokens"],
  [31, "running bash · 12s · 340 tokens"],
  [30, "running ba… · 12s · 340 tokens"],
  [27, "running… · 12s · 340 tokens"],
  [26, "running bash · 12s"],
  [14, "running… · 12s"],
  [13, "running bash"],
  [5, "runn…"],
  [1, "…"],
  [0, ""],
  [-3, ""],
])("in %i columns stands %j", (width, shown) => {
  expect(fitted("running bash", NUMBERS, width)).toBe(shown);
});

test("short words do not cost the numbers their place", () => {
  expect(fitted("thinking", NUMBERS, 27)).toBe("thinking · 12s · 340 tokens");
  expect(fitted("ls", NUMBERS, 21)).toBe("ls · 12s · 340 tokens");
});

test("no status is wider than its place, whatever the model is called", () => {
  const words = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(words, fc.integer({ min: 0, max: 60 }), (text, width) => {
      expect(stringWidth(fitted(text, NUMBERS, width))).toBeLessThanOrEqual(width);
    }),
  );
});

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: "1" }, false],
  [true, { NO_COLOR: "" }, true],
  [true, { TERM: "dumb" }, false],
  [false, { FORCE_COLOR: "1" }, true],
  [false, { FORCE_COLOR: "" }, true],
  [true, { FORCE_COLOR: "0" }, false],
  [true, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
] as const)("on a terminal: %s, with %j, colour: %s", (isTTY, env, colour) => {
  expect(wantsColour({ isTTY }, env)).toBe(colour);
});
