import type { SelectedModel } from "../config/config.ts";
import type { JsonObject } from "../shared/json.ts";

/** Ours under the adapter's key, with what the provider's and then the model's configuration say over it. */
export function optionsUnder(key: string, selected: SelectedModel, ours: JsonObject): JsonObject {
  const configured: JsonObject = {
    ...selected.provider.providerOptions,
    ...selected.providerOptions,
  };
  // Both `{reasoningEffort: …}` and `{openai: {reasoningEffort: …}}` are meant for this adapter.
  const { [key]: nested, ...flat } = configured;
  return { ...ours, ...flat, ...((nested ?? {}) as JsonObject) };
}

/** Tokens to think with, for the models that are told a number. */
export function thinkingBudget(effort: string | null): number {
  switch (effort) {
    case "minimal":
    case "low":
      return 4096;
    case "high":
      return 24_576;
    case "xhigh":
    case "max":
      return 32_000;
    default:
      return 10_000;
  }
}

/** Models of Anthropic that decide themselves how long to think, and are told an effort instead of a number of tokens. */
export const isAdaptive = (model: string): boolean =>
  /claude-[a-z]+-(?:4-[6-9]|[5-9])(?!\d)/.test(model);

/** Gemini 3 and later are told a level, earlier models a number of tokens. */
export const takesThinkingLevel = (model: string): boolean => /gemini-([3-9]|\d\d)/.test(model);

/** `base` with the version segment that its API needs, unless it has one: `https://api.anthropic.com` → `…/v1`. */
export const versioned = (base: string, version: string): string =>
  /\/v\d+[a-z0-9]*$/.test(base) ? base : `${base}/${version}`;
