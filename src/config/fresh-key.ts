import { RunFailed } from "../protocol/ending.ts";
import type { Config, ProviderConfig } from "./config.ts";

export interface FreshKey {
  readonly provider: ProviderConfig;
  /** Why it still is the old key that was to be renewed; null when nothing went wrong. */
  readonly warning: string | null;
}

/**
 * The provider of a prompt that is about to run: a key that a command said longer than `maxAgeMs` ago is asked for again, because such
 * keys run out. When that fails, the old one has to do (ERR-17). Rejects only when aborted.
 */
export async function freshKey(
  config: Pick<Config, "completions">,
  provider: ProviderConfig,
  signal: AbortSignal,
  maxAgeMs = KEY_LASTS_MS,
): Promise<FreshKey> {
  const credentials = config.completions.get(provider.id)?.credentials ?? null;
  if (credentials === null || credentials.ageMs() <= maxAgeMs) return { provider, warning: null };
  try {
    return { provider: await credentials.renew(signal), warning: null };
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    return { provider, warning: `the old key is used: ${error.failure.message}` };
  }
}

/** Short enough for tokens that last minutes, long enough for a command that asks a vault. */
const KEY_LASTS_MS = 300_000;

/** Whether a call with one of them would be the same call with the other. */
export const hasSameKey = (a: ProviderConfig, b: ProviderConfig): boolean =>
  a.apiKey === b.apiKey &&
  Object.keys(a.extraHeaders).length === Object.keys(b.extraHeaders).length &&
  Object.entries(a.extraHeaders).every(([name, value]) => b.extraHeaders[name] === value);
