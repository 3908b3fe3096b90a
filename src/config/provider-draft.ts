import type { JsonObject } from "../shared/json.ts";
import { CATALOGUE, catalogueModels, type CatalogueEntry } from "./catalogue.ts";
import type { ModelInfo, ProviderType, UnusableProvider } from "./config.ts";
import { familyOf, PROVIDER_TYPES } from "./provider-type.ts";
import type { CrushJson, ModelJson, ProviderJson } from "./schema.ts";

/** A provider as configured: catalogue and configuration merged, nothing expanded, nothing asked. */
export interface ProviderDraft {
  readonly id: string;
  readonly name: string;
  readonly type: ProviderType;
  /** `responses` of the configuration; only OpenAI's family has the choice. */
  readonly responses: boolean | undefined;
  /** A template, or null for the default below. */
  readonly baseUrl: string | null;
  readonly defaultBaseUrl: string | null;
  /** A template, or null: then the first of `keyNames` that is set. */
  readonly apiKey: string | null;
  /** Without a key it cannot be used. Empty for a provider that may need none. */
  readonly keyNames: readonly string[];
  readonly baseUrlName: string | null;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly extraBody: JsonObject;
  readonly providerOptions: JsonObject;
  readonly systemPromptPrefix: string | null;
  readonly models: readonly ModelInfo[];
  /** Whether `<base_url>/models` has to be asked. */
  readonly discover: boolean;
}

export interface Drafts {
  /** In the order in which a default is looked for: the catalogue's, then the others by name. */
  readonly usable: readonly ProviderDraft[];
  readonly unusable: readonly UnusableProvider[];
}

/** `isSet` tells whether a variable of the environment has a value. */
export async function draftProviders(
  configured: CrushJson["providers"],
  catalogued: boolean,
  isSet: (name: string) => boolean,
): Promise<Drafts> {
  const usable: ProviderDraft[] = [];
  const unusable: UnusableProvider[] = [];
  const left = new Map(Object.entries(configured ?? {}));
  for (const entry of catalogued ? CATALOGUE : []) {
    const id = entry.ids.find((one) => left.has(one)) ?? entry.ids[0];
    const own = left.get(id) ?? {};
    left.delete(id);
    const name = own.name ?? entry.name;
    if (own.disable === true) unusable.push(disabled(id, name));
    else if (own.api_key === undefined && !entry.keyNames.some(isSet))
      unusable.push(withoutKey(id, name, entry.keyNames));
    else {
      const draft = await catalogueDraft(id, own, entry);
      if ("why" in draft) unusable.push(draft);
      else usable.push(draft);
    }
  }
  for (const [id, own] of [...left].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const draft = customDraft(id, own);
    if ("why" in draft) unusable.push(draft);
    else usable.push(draft);
  }
  return { usable, unusable };
}

export const withoutKey = (
  id: string,
  name: string,
  keyNames: readonly string[],
): UnusableProvider => ({
  id,
  name,
  reason: "auth_missing",
  why: `no key: ${keyNames.join(", ")} ${keyNames.length > 1 ? "are" : "is"} not set`,
  remedy: `set ${keyNames[0] ?? "its key"}`,
});

const disabled = (id: string, name: string): UnusableProvider => ({
  id,
  name,
  reason: "invalid_config",
  why: "the configuration disables it",
  remedy: `take providers.${id}.disable out of the configuration`,
});

async function catalogueDraft(
  id: string,
  own: ProviderJson,
  entry: CatalogueEntry,
): Promise<ProviderDraft | UnusableProvider> {
  const type = own.type === undefined ? entry.type : familyOf(own.type);
  if (type === null) return unsupported(id, own.name ?? entry.name, own.type ?? "");
  return {
    ...common(id, own),
    name: own.name ?? entry.name,
    type,
    defaultBaseUrl: entry.baseUrl,
    keyNames: entry.keyNames,
    baseUrlName: entry.baseUrlName,
    models: withOwnModels(own.models ?? [], await catalogueModels(entry)),
    discover: own.discover_models === true,
  };
}

function customDraft(id: string, own: ProviderJson): ProviderDraft | UnusableProvider {
  const name = own.name ?? id;
  if (own.disable === true) return disabled(id, name);
  const given = own.type ?? (id === "ollama" ? "ollama" : "openai-compat");
  const type = familyOf(given);
  if (type === null) return unsupported(id, name, given);
  const models = withOwnModels(own.models ?? [], []);
  const local = type === "scripted" || given === "ollama";
  if (own.base_url === undefined && !local)
    return {
      id,
      name,
      reason: "invalid_config",
      why: "it has no base_url",
      remedy: `set providers.${id}.base_url`,
    };
  if (models.length === 0 && own.discover_models === false)
    return {
      id,
      name,
      reason: "invalid_config",
      why: "it has no models, and discover_models is false",
      remedy: `list them in providers.${id}.models`,
    };
  return {
    ...common(id, own),
    name,
    type,
    defaultBaseUrl: null,
    keyNames: [],
    baseUrlName: null,
    models,
    discover: own.discover_models ?? models.length === 0,
  };
}

const common = (id: string, own: ProviderJson) => ({
  id,
  responses: own.responses,
  baseUrl: own.base_url ?? null,
  apiKey: own.api_key ?? null,
  extraHeaders: own.extra_headers ?? {},
  extraBody: (own.extra_body ?? {}) as JsonObject,
  providerOptions: (own.provider_options ?? {}) as JsonObject,
  systemPromptPrefix: own.system_prompt_prefix ?? null,
});

const unsupported = (id: string, name: string, type: string): UnusableProvider => ({
  id,
  name,
  reason: "invalid_config",
  why: `this version does not speak type ${JSON.stringify(type)}`,
  remedy: `use one of ${PROVIDER_TYPES.join(", ")}`,
});

/** The user's entries first, in their order, what they leave out filled from the catalogue. */
function withOwnModels(
  own: readonly ModelJson[],
  catalogue: readonly ModelInfo[],
): readonly ModelInfo[] {
  const mine = new Map<string, ModelInfo>();
  for (const entry of own) {
    const base = mine.get(entry.id) ?? catalogue.find((model) => model.id === entry.id);
    const levels = entry.reasoning_levels ?? base?.reasoningLevels;
    mine.set(entry.id, {
      id: entry.id,
      name: entry.name ?? base?.name ?? entry.id,
      costPer1mIn: entry.cost_per_1m_in ?? base?.costPer1mIn ?? null,
      costPer1mOut: entry.cost_per_1m_out ?? base?.costPer1mOut ?? null,
      costPer1mInCached: entry.cost_per_1m_in_cached ?? base?.costPer1mInCached ?? null,
      costPer1mOutCached: entry.cost_per_1m_out_cached ?? base?.costPer1mOutCached ?? null,
      contextWindow: sizeOf(entry.context_window) ?? base?.contextWindow ?? null,
      defaultMaxTokens: sizeOf(entry.default_max_tokens) ?? base?.defaultMaxTokens ?? null,
      canReason: entry.can_reason ?? base?.canReason ?? false,
      supportsAttachments: entry.supports_attachments ?? base?.supportsAttachments ?? false,
      ...(levels === undefined ? {} : { reasoningLevels: levels }),
    });
  }
  return [...mine.values(), ...catalogue.filter((model) => !mine.has(model.id))];
}

/** A size of 0 is how such files write "not known". */
const sizeOf = (size: number | undefined): number | null => size || null;
