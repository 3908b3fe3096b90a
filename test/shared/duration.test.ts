import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAge, parseDuration } from "../../src/shared/duration.ts";

test.each([
  ["0", 0],
  ["30", 30_000],
  ["0.5", 500],
  ["250ms", 250],
  ["30s", 30_000],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["1h1m1s1ms", 3_661_001],
  ["1.5h", 5_400_000],
])("%s is %d ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  "",
  " ",
  "-1",
  "+1",
  "1e3",
  "s",
  "5 m",
  "5x",
  "5M",
  "30s1h",
  "5m5m",
  "1ms1s",
  ".5",
  "1.",
  "∞",
])("%j is not a duration", (text) => {
  expect(parseDuration(text)).toBeNull();
});

test("a number too large to count exactly is not a duration", () => {
  expect(parseDuration("9".repeat(30))).toBeNull();
  expect(parseDuration(`${"9".repeat(400)}h`)).toBeNull();
});

test("every combination of units adds up", () => {
  const part = fc.option(fc.nat(9999), { nil: null });
  fc.assert(
    fc.property(part, part, part, part, (h, m, s, ms) => {
      const units = [
        ["h", h, 3_600_000],
        ["m", m, 60_000],
        ["s", s, 1000],
        ["ms", ms, 1],
      ] as const;
      const given = units.filter(([, amount]) => amount !== null);
      const text = given.map(([unit, amount]) => `${amount}${unit}`).join("");
      const sum = given.reduce((total, [, amount, size]) => total + (amount ?? 0) * size, 0);
      expect(parseDuration(text)).toBe(text === "" ? null : sum);
    }),
  );
});

test("any other text is null or a whole number of milliseconds, never a throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.hms]*$/)), (text) => {
      const ms = parseDuration(text);
      expect(ms === null || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
    }),
  );
});

test.each([
  ["30d", 2_592_000_000],
  ["12w", 7_257_600_000],
  ["1w2d3h", 788_400_000],
  ["90", 90_000],
])("an age of %s is %d ms, and days and weeks are for ages alone", (text, ms) => {
  expect(parseAge(text)).toBe(ms);
  expect(parseDuration(text)).toBe(/[dw]/.test(text) ? null : ms);
});

test.each(["", "d", "1d1w", "3y", "-1d", "1 d", "30D"])("%j is no age", (text) => {
  expect(parseAge(text)).toBeNull();
});
