import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HeadTail, prefixWithin, shortLine } from "../../src/tools/bounded-text.ts";

const anyText = fc.string({ unit: "binary", maxLength: 60 });
const wellFormed = (text: string): boolean => !text.includes("\uFFFD");

test("a prefix is within its bytes, and the next character would not be", () => {
  fc.assert(
    fc.property(anyText, fc.nat(80), (text, limit) => {
      const prefix = prefixWithin(text, limit);
      const [next = ""] = text.slice(prefix.length);
      expect(text.startsWith(prefix)).toBe(true);
      expect(Buffer.byteLength(prefix)).toBeLessThanOrEqual(limit);
      const whole = prefix.length === text.length;
      expect(whole || Buffer.byteLength(prefix + next) > limit).toBe(true);
    }),
  );
});

test("output that fits comes back whole, in whatever pieces it arrived", () => {
  fc.assert(
    fc.property(anyText, fc.array(fc.nat(20)), (text, sizes) => {
      const kept = new HeadTail(200, 200);
      pushInPieces(kept, text, sizes);
      expect(kept.text(() => "cut")).toEqual({ text, cutBytes: 0 });
    }),
  );
});

test("of longer output the beginning and the end are kept, whole characters only, and the rest is counted", () => {
  fc.assert(
    fc.property(
      anyText.filter(wellFormed),
      fc.array(fc.nat(20)),
      fc.nat(30),
      fc.nat(30),
      (text, sizes, head, tail) => {
        fc.pre(Buffer.byteLength(text) > head + tail);
        const kept = new HeadTail(head, tail);
        pushInPieces(kept, text, sizes);
        const { text: shown, cutBytes } = kept.text(() => "|cut|");
        const [before = "", after = ""] = shown.split("\n|cut|\n");
        expect(text.startsWith(before)).toBe(true);
        expect(text.endsWith(after)).toBe(true);
        expect(wellFormed(shown)).toBe(true);
        expect(Buffer.byteLength(before)).toBeGreaterThan(head - 4);
        expect(Buffer.byteLength(before)).toBeLessThanOrEqual(head);
        expect(Buffer.byteLength(after)).toBeGreaterThan(tail - 4);
        expect(Buffer.byteLength(after)).toBeLessThanOrEqual(tail);
        expect(cutBytes).toBe(Buffer.byteLength(text) - Buffer.byteLength(before + after));
      },
    ),
  );
});

test("a long line is cut between characters and says how long it was", () => {
  expect(shortLine("abc", 3)).toBe("abc");
  expect(shortLine("abcd", 3)).toBe("abc… [line cut: 4 characters]");
  expect(shortLine("ab😀d", 3)).toBe("ab… [line cut: 5 characters]");
});

function pushInPieces(kept: HeadTail, text: string, sizes: readonly number[]): void {
  let rest = Buffer.from(text);
  for (const size of sizes) {
    kept.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  kept.push(rest);
}
