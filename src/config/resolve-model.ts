import { failure, RunFailed } from "../protocol/ending.ts";
import { CATALOGUE, catalogueEntry, catalogueModels } from "./catalogue.ts";
import type {
  Completion,
  Config,
  ModelInfo,
  ProviderConfig,
  SelectedModel,
  UnusableProvider,
} from "./config.ts";
import { nearest } from "../shared/nearest.ts";
import {
  defaultModel,
  firstProvider,
  isSameProvider,
  modelOf,
  providerOf,
  sameId,
  select,
  smallBeside,
} from "./selection.ts";

/**
 * The model a run is to use: `ref` as given to `-m`, or null for the configured one, else the default. Its provider is
 * complete: the key expanded, the models listed. Throws `RunFailed` (`unknown_model`, `auth_missing`,
 * `invalid_config`, `provider_unavailable`, `provider_error`, `auth_refused`), or `signal.reason` when aborted.
 */
export async function resolveModel(
  config: Config,
  ref: string | null,
  kind: "large" | "small",
  signal: AbortSignal,
): Promise<SelectedModel> {
  signal.throwIfAborted();
  if (ref !== null) return await resolveRef(config, ref, kind, signal);
  const choice = config.choices[kind];
  if (choice !== null) {
    const chosen = `${choice.providerId}/${choice.modelId}`;
    try {
      return await resolveRef(config, chosen, kind, signal);
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      const message = `${await choice.where()}: models.${kind} selects ${chosen}: ${error.failure.message}`;
      throw new RunFailed({ ...error.failure, message }, { cause: error });
    }
  }
  if (kind === "small") return smallBeside(await resolveModel(config, null, "large", signal));
  const first = firstProvider(config.providers);
  const provider = first ? await complete(config, first, signal) : await askOllama(config, signal);
  const model = provider && defaultModel(provider);
  if (!provider || !model) throw nothingConfigured(config);
  return select(provider, model, null);
}

async function resolveRef(
  config: Config,
  ref: string,
  kind: "large" | "small",
  signal: AbortSignal,
): Promise<SelectedModel> {
  const slash = ref.indexOf("/");
  return slash > 0
    ? await resolveQualified(config, ref.slice(0, slash), ref.slice(slash + 1), kind, signal)
    : await resolveBare(config, ref, kind, signal);
}

async function resolveQualified(
  config: Config,
  providerId: string,
  modelId: string,
  kind: "large" | "small",
  signal: AbortSignal,
): Promise<SelectedModel> {
  const known = providerOf(config.providers, providerId);
  const provider = known
    ? await completeFor(config, known, modelId, signal)
    : await config.completions.get(providerId)?.finish(signal);
  const model = provider && modelOf(provider, modelId);
  if (provider && model) return select(provider, model, config.choices[kind]);

  const ref = `${providerId}/${modelId}`;
  const elsewhere = refsWith(config, ref);
  const why = config.unusable.find((one) => isSameProvider(one.id, providerId));
  if (why && !provider) throw unusable(why, elsewhere);
  const candidates = provider ? refsOf(provider) : allRefs(config);
  throw new RunFailed(
    failure(
      "unknown_model",
      provider
        ? `unknown model ${ref}`
        : `unknown model ${ref}: there is no provider ${providerId}`,
      {
        remedy: hint(config, [...elsewhere, ...nearest(ref, candidates, 3)]),
      },
    ),
  );
}

/** An unknown id needs no key: the provider is only completed when its models are not known or hold it. */
async function completeFor(
  config: Config,
  provider: ProviderConfig,
  modelId: string,
  signal: AbortSignal,
): Promise<ProviderConfig> {
  const discovers = config.completions.get(provider.id)?.discovers ?? false;
  if (!discovers && !modelOf(provider, modelId)) return provider;
  return await complete(config, provider, signal);
}

async function resolveBare(
  config: Config,
  id: string,
  kind: "large" | "small",
  signal: AbortSignal,
): Promise<SelectedModel> {
  const refs = refsWith(config, id);
  if (refs.length > 1)
    throw new RunFailed(
      failure("unknown_model", `model ${id} is ambiguous: ${refs.join(", ")}`, {
        remedy: "write one of them in full",
      }),
    );
  const provider = [...config.providers.values()].find((one) => modelOf(one, id));
  if (provider) {
    const completed = await complete(config, provider, signal);
    const model = modelOf(completed, id);
    if (model) return select(completed, model, config.choices[kind]);
  }
  const found = await askForModel(config, id, signal);
  if (found) return select(found.provider, found.model, config.choices[kind]);
  const withoutKey = await unusableWith(config, id);
  if (withoutKey) throw unusable(withoutKey, []);
  throw new RunFailed(
    failure("unknown_model", `unknown model ${JSON.stringify(id)}`, {
      remedy: hint(config, [...nearestIds(config, id), ...nearest(id, allRefs(config), 3)]),
    }),
  );
}

const complete = async (
  config: Config,
  provider: ProviderConfig,
  signal: AbortSignal,
): Promise<ProviderConfig> =>
  (await config.completions.get(provider.id)?.finish(signal)) ?? provider;

/**
 * An id that no list holds may belong to a provider that has to be asked for its list: the configured ones, and Ollama when
 * nothing else is usable.
 */
async function askForModel(
  config: Config,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly provider: ProviderConfig; readonly model: ModelInfo } | null> {
  const asked = [...config.completions].filter(
    ([one, completion]) =>
      completion.discovers && (config.providers.has(one) || !firstProvider(config.providers)),
  );
  for (const [, completion] of asked) {
    const provider = await answerOf(completion, signal);
    const model = provider && modelOf(provider, id);
    if (provider && model) return { provider, model };
  }
  return null;
}

/** A running Ollama that nobody configured; null when there is none. */
async function askOllama(config: Config, signal: AbortSignal): Promise<ProviderConfig | null> {
  if (config.providers.has("ollama")) return null;
  const ollama = config.completions.get("ollama");
  return ollama ? await answerOf(ollama, signal) : null;
}

/** Null when it cannot be completed: nobody has named this provider, so that is no failure. */
async function answerOf(
  completion: Completion,
  signal: AbortSignal,
): Promise<ProviderConfig | null> {
  try {
    return await completion.finish(signal);
  } catch (error) {
    if (error instanceof RunFailed) return null;
    throw error;
  }
}

/** A provider that only lacks its key and whose catalogue has the model. */
async function unusableWith(config: Config, id: string): Promise<UnusableProvider | null> {
  for (const one of config.unusable) {
    const entry = one.reason === "auth_missing" ? catalogueEntry(one.id) : undefined;
    if (entry && (await catalogueModels(entry)).some((model) => sameId(model.id, id))) return one;
  }
  return null;
}

const refsOf = (provider: ProviderConfig): readonly string[] =>
  provider.models.map((model) => `${provider.id}/${model.id}`);

const allRefs = (config: Config): readonly string[] =>
  [...config.providers.values()].flatMap(refsOf);

/** The refs of every provider's model with this very id. */
const refsWith = (config: Config, id: string): readonly string[] =>
  [...config.providers.values()].flatMap((provider) => {
    const model = modelOf(provider, id);
    return model ? [`${provider.id}/${model.id}`] : [];
  });

function nearestIds(config: Config, id: string): readonly string[] {
  const providers = [...config.providers.values()];
  const ids = [
    ...new Set(providers.flatMap((provider) => provider.models.map((model) => model.id))),
  ];
  return nearest(id, ids, 3).flatMap((one) => refsWith(config, one).slice(0, 1));
}

function hint(config: Config, refs: readonly string[]): string {
  const usable = [...config.providers.keys()].join(", ");
  const different = [...new Set(refs)].slice(0, 3);
  const similar = different.length === 0 ? "" : `did you mean ${different.join(", ")}? `;
  return `${similar}"crush models" lists what is usable (providers: ${usable})`;
}

function unusable(one: UnusableProvider, elsewhere: readonly string[]): RunFailed {
  const instead = elsewhere.length === 0 ? "" : `, or use -m ${elsewhere[0]}`;
  return new RunFailed(
    failure(one.reason, `${one.id}: ${one.why}`, {
      remedy: `${one.remedy}${instead}`,
      provider: one.id,
    }),
  );
}

/** A provider that the configuration names itself, and that cannot be used, is the answer; else there is just nothing. */
function nothingConfigured(config: Config): RunFailed {
  const own = config.unusable.find(({ id }) => catalogueEntry(id) === undefined && id !== "ollama");
  if (own !== undefined) return unusable(own, []);
  const names = CATALOGUE.map((entry) => entry.keyNames[0]).join(", ");
  return new RunFailed(
    failure("auth_missing", "no model is configured, and no provider has a key", {
      remedy: `set one of ${names}; or start Ollama; or try -m demo/offline, which needs neither`,
    }),
  );
}
