import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createMask, masked } from "../../src/shared/masked.ts";

test("every occurrence of every secret is blotted out", () => {
  expect(masked("a sk-1 b sk-1 tok$& c", ["sk-1", "tok$&"])).toBe("a *** b *** *** c");
});

test("an empty secret is none", () => {
  expect(masked("abc", [""])).toBe("abc");
});

test("a secret that begins with another leaves nothing behind", () => {
  expect(masked("abcdefghij", ["abcdef", "abcdefghij"])).toBe("***");
});

test("a secret is known as a URL writes it, and by a long beginning of it", () => {
  const secret = "Bearer sk-0123456789/abc=";
  expect(masked(`?key=${encodeURIComponent(secret)}&x`, [secret])).toBe("?key=***&x");
  expect(masked("key Bearer sk-01234… was refused, and Bearer is a word", [secret])).toBe(
    "key ***… was refused, and Bearer is a word",
  );
});

test("a secret is known as JSON writes it", () => {
  const secret = 'pass"word\\7';
  expect(masked(JSON.stringify({ secret }), [secret])).toBe('{"secret":"***"}');
});

test("what a mask leaves is not masked again for ever", () => {
  expect(masked("************", ["************long"])).toBe("***");
});

test("half a character in a secret is no error", () => {
  expect(masked("a\ud800b", ["a\ud800b"])).toBe("***");
});

/** Short alphabet: secrets overlap, repeat themselves and begin with one another. */
const word = (least: number, most: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom("a", "b", "%"), minLength: least, maxLength: most });

test("a text blotted out piece by piece is the whole text blotted out, however it is cut", () => {
  fc.assert(
    fc.property(
      fc.array(word(6, 20), { maxLength: 3 }),
      fc.array(fc.oneof(word(0, 8), fc.nat(2)), { maxLength: 12 }),
      fc.array(fc.nat(7), { maxLength: 12 }),
      (secrets, parts, cuts) => {
        const text = parts
          .map((part) => (typeof part === "string" ? part : (secrets[part] ?? "").slice(0, 15)))
          .join("");
        const mask = createMask(() => secrets);
        let shown = "";
        let held = "";
        let at = 0;
        for (const size of [...cuts, text.length]) {
          held += text.slice(at, at + size);
          at += size;
          const cut = mask.settled(held);
          shown += mask.whole(held.slice(0, cut));
          held = held.slice(cut);
        }
        expect(shown + mask.whole(held)).toBe(mask.whole(text));
      },
    ),
    { numRuns: 2_000 },
  );
});

test("nothing waits that cannot be the beginning of a secret", () => {
  const mask = createMask(() => ["sk-0123456789abcdef"]);
  expect(mask.settled("an ordinary text")).toBe(16);
  expect(mask.settled("ordinary tasks")).toBe(13);
  expect(mask.settled("a key: sk-01")).toBe(7);
  expect(mask.settled("a key: sk-01.")).toBe(13);
});

test("a secret that becomes known later is blotted out from then on", () => {
  const secrets: string[] = [];
  const mask = createMask(() => secrets);
  expect(mask.whole("my-secret")).toBe("my-secret");
  secrets.push("my-secret");
  expect([mask.whole("my-secret"), mask.settled("my-sec")]).toEqual(["***", 0]);
});
