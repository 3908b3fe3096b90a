import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cutBytes, shortened } from "../../src/shared/cut.ts";

const text = fc.string({ unit: "grapheme" });

test("a text is cut to its bytes, and never inside a character", () => {
  fc.assert(
    fc.property(text, fc.nat(40), (whole, most) => {
      const cut = cutBytes(whole, most);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(most);
      expect(whole.startsWith(cut)).toBe(true);
      const next = String.fromCodePoint(whole.codePointAt(cut.length) ?? 0);
      expect(cut === whole || Buffer.byteLength(cut + next) > most).toBe(true);
    }),
  );
});

test("a text that is too long ends in an ellipsis, and never in half a character", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), (whole, most) => {
      const short = shortened(whole, most);
      expect(short.length).toBeLessThanOrEqual(most);
      expect(Buffer.from(short).toString()).toBe(short);
      expect(short === whole || short.endsWith("…")).toBe(true);
    }),
  );
  expect(shortened("abc", 3)).toBe("abc");
  expect(shortened("abcd", 3)).toBe("ab…");
});
