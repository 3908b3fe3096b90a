import { invalidConfig } from "./config-file.ts";
import { catalogueEntry } from "./catalogue.ts";
import type {
  ModelChoice,
  ModelInfo,
  ModelParameters,
  ProviderConfig,
  SelectedModel,
} from "./config.ts";
import type { CrushJson } from "./schema.ts";
import type { JsonObject } from "../shared/json.ts";

const NO_PARAMETERS: ModelParameters = {
  maxTokens: null,
  temperature: null,
  topP: null,
  topK: null,
  frequencyPenalty: null,
  presencePenalty: null,
  reasoningEffort: null,
  think: false,
  providerOptions: {},
};

/** What `models.<kind>` asks for; null when it is not there. Throws `RunFailed` when it is half there. */
export async function choiceOf(
  merged: CrushJson,
  kind: "large" | "small",
  locate: (field: readonly string[]) => Promise<string>,
): Promise<ModelChoice | null> {
  const selected = merged.models?.[kind];
  if (selected === undefined) return null;
  const where = async (): Promise<string> => await locate(["models", kind]);
  const { provider, model } = selected;
  if (!provider || !model)
    throw invalidConfig(
      `${await where()}: models.${kind} has no ${provider ? "model" : "provider"}`,
      `give models.${kind} both "provider" and "model"`,
    );
  return {
    providerId: provider,
    modelId: model,
    where,
    // 0 is how such files write "not set" for it; for the others it is a value.
    maxTokens: selected.max_tokens || null,
    temperature: selected.temperature ?? null,
    topP: selected.top_p ?? null,
    topK: selected.top_k ?? null,
    frequencyPenalty: selected.frequency_penalty ?? null,
    presencePenalty: selected.presence_penalty ?? null,
    reasoningEffort: selected.reasoning_effort || null,
    think: selected.think ?? false,
    providerOptions: (selected.provider_options ?? {}) as JsonObject,
  };
}

/** A provider's model, with the configured parameters when the configuration means just this one. */
export function select(
  provider: ProviderConfig,
  model: ModelInfo,
  choice: ModelChoice | null,
): SelectedModel {
  const own =
    choice !== null &&
    isSameProvider(choice.providerId, provider.id) &&
    sameId(choice.modelId, model.id);
  if (!own) return { ...NO_PARAMETERS, provider, model };
  const { providerId: _, modelId: __, where: ___, ...parameters } = choice;
  return { ...parameters, provider, model };
}

/** `gemini` and `google` are one. */
export const isSameProvider = (a: string, b: string): boolean =>
  a === b || (catalogueEntry(a)?.ids.includes(b) ?? false);

export const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** An exact id wins over one that differs in case; Ollama's `:latest` may be left out. */
export const modelOf = (provider: ProviderConfig, id: string): ModelInfo | undefined =>
  provider.models.find((model) => model.id === id) ??
  provider.models.find((model) => sameId(model.id, id)) ??
  provider.models.find((model) => sameId(model.id, `${id}:latest`));

/** The model a provider is used with when nobody chose one. */
export const defaultModel = (provider: ProviderConfig): ModelInfo | undefined =>
  modelOf(provider, catalogueEntry(provider.id)?.defaultLarge ?? "") ?? provider.models[0];

/**
 * The large model as far as it is known without asking: what was chosen, else the default of the first provider. Null
 * when there is none, or when its provider still has to list its models.
 */
export function largeOf(
  providers: ReadonlyMap<string, ProviderConfig>,
  choice: ModelChoice | null,
): SelectedModel | null {
  if (choice !== null) return chosen(providers, choice);
  const first = firstProvider(providers);
  const model = first && defaultModel(first);
  return first && model ? select(first, model, null) : null;
}

/** The same for the small model. Nothing chosen: the small one of the large model's provider, else the large one. */
export function smallOf(
  providers: ReadonlyMap<string, ProviderConfig>,
  choice: ModelChoice | null,
  large: SelectedModel | null,
): SelectedModel | null {
  if (choice !== null) return chosen(providers, choice);
  return large && smallBeside(large);
}

export function smallBeside(large: SelectedModel): SelectedModel {
  const wanted = catalogueEntry(large.provider.id)?.defaultSmall;
  const model = large.provider.models.find(({ id }) => id === wanted);
  return model ? select(large.provider, model, null) : large;
}

/** The provider a default is taken from; the demo never is. */
export const firstProvider = (
  providers: ReadonlyMap<string, ProviderConfig>,
): ProviderConfig | undefined =>
  [...providers.values()].find((provider) => provider.type !== "demo");

export const providerOf = (
  providers: ReadonlyMap<string, ProviderConfig>,
  id: string,
): ProviderConfig | undefined =>
  providers.get(id) ?? [...providers.values()].find((one) => isSameProvider(one.id, id));

function chosen(
  providers: ReadonlyMap<string, ProviderConfig>,
  choice: ModelChoice,
): SelectedModel | null {
  const provider = providerOf(providers, choice.providerId);
  const model = provider && modelOf(provider, choice.modelId);
  return provider && model ? select(provider, model, choice) : null;
}
