import * as fc from "fast-check";
import { expect, test } from "vitest";
import { controlFilter } from "../../src/cli/control-filter.ts";

/** Text as a hostile or careless model might write it: much of it belongs to some control sequence. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\u001b", "\u009b", "\u009d", "[", "]", "?", ";", "m", "\u0007", "\u001b\\"),
      fc.constantFrom("31", "8;;http://x", "(B", "P", "\u009c", "\u0090", "\t", "\n", "\r", "é😀"),
      fc.constantFrom("\u001b[31m", "\u001b]0;title\u0007", "\u001b]8;;u\u001b\\", "\u001b[2J"),
      fc.string({ minLength: 200, maxLength: 300 }),
    ),
  )
  .map((parts) => parts.join(""));

const whole = (text: string): string => filtered([text]);

function filtered(chunks: readonly string[]): string {
  const filter = controlFilter();
  return chunks.map(filter).join("");
}

test("the result does not depend on where the text was cut", () => {
  fc.assert(
    fc.property(hostile, fc.array(fc.nat(400), { maxLength: 8 }), (text, cuts) => {
      const at = [...cuts, text.length].map((cut) => Math.min(cut, text.length)).sort(ascending);
      const chunks = at.map((end, index) => text.slice(at[index - 1] ?? 0, end));
      expect(filtered(chunks)).toBe(whole(text));
      expect(filtered(text.split(""))).toBe(whole(text));
    }),
    { numRuns: 500 },
  );
});

test("nothing that a terminal obeys survives, but tab and newline", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      // oxlint-disable-next-line no-control-regex
      expect(whole(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
  );
});

test("text without control characters is left alone, whatever its characters", () => {
  const plain = fc
    .string({ unit: "binary" })
    // oxlint-disable-next-line no-control-regex
    .filter((text) => !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text));
  fc.assert(
    fc.property(plain, (text) => {
      expect(whole(text)).toBe(text);
    }),
  );
});

test.each([
  ["a colour", "a\u001b[1;31mred\u001b[0mb", "aredb"],
  ["a cleared screen", "\u001b[2J\u001b[Hgone", "gone"],
  ["a title that ends in BEL", "\u001b]0;owned\u0007x", "x"],
  ["a link that ends in ST", "\u001b]8;;http://evil\u001b\\text\u001b]8;;\u001b\\", "text"],
  ["an eight-bit sequence", "\u009b31mred", "red"],
  ["a device control string", "\u001bPpayload\u001b\\x", "x"],
  ["a carriage return that would overwrite", "safe\rrm -rf", "saferm -rf"],
  ["backspaces", "ab\b\bc", "abc"],
  ["a choice of character set", "\u001b(0x", "x"],
  ["a reset of the terminal", "\u001bcx", "x"],
])("%s is taken out whole", (_, text, rest) => {
  expect(whole(text)).toBe(rest);
});

test("a sequence without end swallows a bounded part of the text, not all of it", () => {
  const rest = "y".repeat(5_000);
  expect(whole(`\u001b]0;${rest}`)).toContain("y".repeat(500));
  expect(whole(`\u001b[${"1;".repeat(2_500)}`).length).toBeGreaterThan(500);
});

const ascending = (a: number, b: number): number => a - b;
