import type { Usage } from "../protocol/usage.ts";

/** US dollars per million tokens; null when unknown. */
export interface Prices {
  readonly input: number | null;
  readonly output: number | null;
  /** For input read from the provider's cache. */
  readonly cachedInput: number | null;
  /** For input written to it, where that is paid extra. */
  readonly cacheWrite?: number | null;
}

/** US dollars of one model call; null when a price that it needs is unknown, never 0 for lack of one. */
export function costOf(usage: Usage, prices: Prices): number | null {
  // Who names no price for writing to the cache takes the usual one.
  const written = prices.cacheWrite ? (usage.cacheWriteTokens ?? 0) : 0;
  const parts = [
    [usage.inputTokens - usage.cachedInputTokens - written, prices.input],
    [usage.cachedInputTokens, prices.cachedInput],
    [written, prices.cacheWrite ?? null],
    [usage.outputTokens, prices.output],
  ] as const;
  let dollars = 0;
  for (const [tokens, price] of parts) {
    if (tokens === 0) continue;
    if (price === null) return null;
    dollars += (tokens * price) / 1_000_000;
  }
  return dollars;
}

/**
 * Reading from the cache is never dearer than reading anew: where its price is not known, that one bounds it.
 */
export const costAtMost = (usage: Usage, prices: Prices): number | null =>
  costOf(usage, { ...prices, cachedInput: prices.cachedInput ?? prices.input });
