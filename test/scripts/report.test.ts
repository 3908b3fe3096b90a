import { expect, test } from "vitest";
import { median, pairedRatio, table } from "../../scripts/bench/report.ts";

test("the benches take medians, ratios pair by pair, and line their columns up", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  expect(pairedRatio([2, 40, 6], [1, 10, 2])).toBe(3);
  expect(
    table([
      ["", "ms"],
      ["wall", "1"],
      ["a", "100", "x"],
    ]),
  ).toBe("       ms\nwall    1\na     100  x\n");
});
