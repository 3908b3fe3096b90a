import { expect, test } from "vitest";
import { costOf } from "../../src/agent/cost.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";

const prices = { input: 3, output: 15, cachedInput: 0.3 };

test("cached tokens cost their own price, the rest of the input the full one", () => {
  const usage = { ...NO_USAGE, inputTokens: 1_000_000, cachedInputTokens: 400_000 };
  expect(costOf(usage, prices)).toBeCloseTo(0.6 * 3 + 0.4 * 0.3, 10);
});

test("tokens written to the cache cost their own price where there is one, else the usual one", () => {
  const usage = { ...NO_USAGE, inputTokens: 1_000_000, cacheWriteTokens: 400_000 };
  expect(costOf(usage, { ...prices, cacheWrite: 3.75 })).toBeCloseTo(0.6 * 3 + 0.4 * 3.75, 10);
  expect(costOf(usage, { ...prices, cacheWrite: null })).toBe(3);
});

test("output tokens include the reasoning: it is not paid twice", () => {
  const usage = { ...NO_USAGE, outputTokens: 1_000_000, reasoningTokens: 900_000 };
  expect(costOf(usage, prices)).toBe(15);
});

test.each([
  ["input", { inputTokens: 1 }],
  ["output", { outputTokens: 1 }],
  ["cachedInput", { inputTokens: 1, cachedInputTokens: 1 }],
] as const)("without a price for %s its tokens make the cost unknown", (name, used) => {
  expect(costOf({ ...NO_USAGE, ...used }, { ...prices, [name]: null })).toBeNull();
});

test("a price that is not needed need not be known", () => {
  const usage = { ...NO_USAGE, inputTokens: 1_000_000 };
  expect(costOf(usage, { input: 3, output: null, cachedInput: null })).toBe(3);
});

test("a free model costs nothing", () => {
  const usage = { ...NO_USAGE, inputTokens: 5, outputTokens: 5 };
  expect(costOf(usage, { input: 0, output: 0, cachedInput: null })).toBe(0);
});
