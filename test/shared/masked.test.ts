import { expect, test } from "vitest";
import { masked } from "../../src/shared/masked.ts";

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

test("what a mask leaves is not masked again for ever", () => {
  expect(masked("************", ["************long"])).toBe("***");
});

test("half a character in a secret is no error", () => {
  expect(masked("a\ud800b", ["a\ud800b"])).toBe("***");
});
