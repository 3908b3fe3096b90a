import { RunFailed } from "../protocol/ending.ts";
import type { Config, ModelInfo, ProviderConfig, UnusableProvider } from "./config.ts";
import { masked } from "../shared/masked.ts";
import { asUnusable } from "./load-providers.ts";

export interface ListedModel {
  /** `provider/model`, as `-m` takes it. */
  readonly ref: string;
  readonly providerName: string;
  readonly model: ModelInfo;
}

export interface ModelList {
  /** Sorted by `ref`. */
  readonly usable: readonly ListedModel[];
  /** Sorted by id. */
  readonly unusable: readonly UnusableProvider[];
}

/**
 * What `crush models` shows. Providers that list their models themselves are asked, all at once; key commands of the others
 * are not run. Throws `signal.reason` when aborted.
 */
export async function listModels(config: Config, signal: AbortSignal): Promise<ModelList> {
  const found = new Map(config.providers);
  const failed: UnusableProvider[] = [];
  await Promise.all(
    [...config.completions].map(async ([id, completion]) => {
      if (!completion.discovers) return;
      try {
        found.set(id, await completion.finish(signal));
      } catch (error) {
        if (!(error instanceof RunFailed)) throw error;
        failed.push(asUnusable({ id, name: found.get(id)?.name ?? "Ollama" }, error));
        found.delete(id);
      }
    }),
  );
  return {
    usable: [...found.values()].flatMap(modelsOf).sort((a, b) => (a.ref < b.ref ? -1 : 1)),
    unusable: [...config.unusable, ...failed]
      .map((one) => ({ ...one, why: masked(one.why, config.secrets) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

const modelsOf = (provider: ProviderConfig): readonly ListedModel[] =>
  provider.models.map((model) => ({
    ref: `${provider.id}/${model.id}`,
    providerName: provider.name,
    model,
  }));
