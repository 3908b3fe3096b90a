import { describe, expect, test } from "vitest";
import { CATALOGUE, catalogueEntry, catalogueModels } from "../../src/config/catalogue.ts";

describe.each(CATALOGUE.map((entry) => [entry.ids[0], entry] as const))("%s", (_, entry) => {
  test("has its default models in the table, with prices and sizes", async () => {
    const models = await catalogueModels(entry);
    for (const id of [entry.defaultLarge, entry.defaultSmall]) {
      const model = models.find((one) => one.id === id);
      expect(model?.costPer1mIn).toBeGreaterThan(0);
      expect(model?.costPer1mOut).toBeGreaterThan(0);
      expect(model?.contextWindow).toBeGreaterThan(0);
    }
  });

  test("has no model twice, and no price of 0 but for free models", async () => {
    const models = await catalogueModels(entry);
    expect(new Set(models.map((model) => model.id)).size).toBe(models.length);
    const mispriced = models.filter((model) => {
      const { costPer1mIn, costPer1mOut, costPer1mInCached, costPer1mOutCached } = model;
      const prices = [costPer1mIn, costPer1mOut, costPer1mInCached, costPer1mOutCached];
      const free = model.id.endsWith(":free");
      return !prices.every((price) => (free ? price === 0 : price === null || price > 0));
    });
    expect(mispriced).toEqual([]);
  });
});

test("the price of writing the cache and that of reading it are not mixed up", async () => {
  const entry = catalogueEntry("anthropic");
  const models = entry ? await catalogueModels(entry) : [];
  expect(models.find((model) => model.id === "claude-haiku-4-5")).toMatchObject({
    costPer1mIn: 1,
    costPer1mOut: 5,
    costPer1mInCached: 1.25,
    costPer1mOutCached: 0.1,
    contextWindow: 200_000,
    defaultMaxTokens: 64_000,
    canReason: true,
    supportsAttachments: true,
  });
});

test("Gemini is known by Crush's name too", () => {
  expect(catalogueEntry("gemini")).toBe(catalogueEntry("google"));
});
