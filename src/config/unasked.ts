import type { Completion, Config, ModelInfo, PeekedProvider } from "./config.ts";

/** A configuration whose providers are not asked for anything, and what that leaves open. */
export interface UnaskedConfig {
  readonly config: Config;
  /** Providers that were to be completed since, and were only looked at. */
  readonly peeked: ReadonlyMap<string, PeekedProvider & Pick<Completion, "discovers">>;
}

/**
 * The same configuration, whose providers neither run a command nor ask the network for their models. `assumed` counts as listed by
 * its provider.
 */
export function unasked(
  config: Config,
  assumed: { readonly providerId: string; readonly modelId: string } | null,
): UnaskedConfig {
  const peeked = new Map<string, PeekedProvider & Pick<Completion, "discovers">>();
  const silent = ([id, { discovers, peek }]: [string, Completion]): [string, Completion] => {
    const finish: Completion["finish"] = async (signal) => {
      const { provider, said } = await peek(signal);
      const models =
        discovers && assumed?.providerId === id
          ? [...provider.models, listed(assumed.modelId)]
          : provider.models;
      const seen = { provider: { ...provider, models }, said, discovers };
      peeked.set(id, seen);
      return seen.provider;
    };
    return [id, { discovers, peek, finish, credentials: null }];
  };
  const completions = new Map([...config.completions].map(silent));
  return { config: { ...config, completions }, peeked };
}

/** What a list of models tells of one at least. */
const listed = (id: string): ModelInfo => ({
  id,
  name: id,
  costPer1mIn: null,
  costPer1mOut: null,
  costPer1mInCached: null,
  costPer1mOutCached: null,
  contextWindow: null,
  defaultMaxTokens: null,
  canReason: false,
  supportsAttachments: false,
});
