import { failure, RunFailed } from "../protocol/ending.ts";
import type { PeekedProvider, ProviderConfig } from "./config.ts";
import { invalidConfig } from "./config-file.ts";
import type { DiscoverOptions } from "./discover.ts";
import { expand, type Expansion } from "./expand.ts";
import type { Env } from "./places.ts";
import { withoutKey, type ProviderDraft } from "./provider-draft.ts";
import { normalBaseUrl, ollamaUrl, openaiDialect } from "./provider-type.ts";
import { ExpandFailed, parseTemplate, runsCommand, variablesOf } from "./template.ts";

/** What a draft is completed with. */
export interface Completing {
  /** For proxies and CA files of the request for a list of models. */
  readonly env: Env;
  readonly expansion: Expansion;
  /** `file:line:column` of a field of the merged configuration. */
  readonly locate: (field: readonly string[]) => Promise<string>;
  /** Called with each secret value that was expanded. */
  readonly keepSecret: (value: string) => void;
}

const discovery = (id: string): Omit<DiscoverOptions, "env"> =>
  id === "ollama"
    ? { connectMs: 500, totalMs: 2000, remedy: "start Ollama, or say with OLLAMA_HOST where it is" }
    : {
        connectMs: 3000,
        totalMs: 3000,
        remedy: `check that the server runs, or list its models in providers.${id}.models`,
      };

/** Whether completing it runs a command or asks the network. */
export const needsMore = (draft: ProviderDraft): boolean =>
  draft.discover || asksCommand(draft.baseUrl) || hasChangingCredentials(draft);

/** Whether key or headers may be others when they are expanded again: the environment stays, a command may answer anew. */
export const hasChangingCredentials = (draft: ProviderDraft): boolean =>
  [draft.apiKey, ...Object.values(draft.extraHeaders)].some(asksCommand);

const asksCommand = (template: string | null): boolean =>
  template !== null && runsCommand(parseTemplate(template));

/** What is known of a provider before it is completed. */
export const unfinished = (draft: ProviderDraft): ProviderConfig => ({
  ...fixedParts(draft),
  type: draft.type === "openai" ? openaiDialect(draft.baseUrl, draft.responses) : draft.type,
  baseUrl: draft.baseUrl === null ? draft.defaultBaseUrl : null,
  apiKey: null,
  extraHeaders: {},
  models: draft.models,
});

/** Expands key, URL and headers, and asks for the list of models where it must. Throws `RunFailed`. */
export async function completeProvider(
  draft: ProviderDraft,
  completing: Completing,
  signal: AbortSignal,
): Promise<ProviderConfig> {
  const { lookup } = completing.expansion;
  const baseUrl = await baseUrlOf(draft, completing, signal);
  const apiKey = await keyOf(draft, baseUrl, completing, signal);
  if (apiKey === null && draft.keyNames.length > 0) throw keyMissing(draft);
  const extraHeaders: Record<string, string> = {};
  for (const [name, template] of Object.entries(draft.extraHeaders)) {
    const value = await expandField(draft, ["extra_headers", name], template, completing, signal);
    if (value === "") continue;
    extraHeaders[name] = value;
    if (isSecretName(name) || usesVariable(template)) completing.keepSecret(value);
  }
  for (const name of draft.keyNames) {
    const value = lookup(name);
    if (value !== undefined) completing.keepSecret(value);
  }
  const provider: ProviderConfig = {
    ...fixedParts(draft),
    type: draft.type === "openai" ? openaiDialect(baseUrl, draft.responses) : draft.type,
    baseUrl,
    apiKey,
    extraHeaders,
    models: draft.models,
  };
  if (!draft.discover) return provider;
  const { discoverModels } = await import("./discover.ts");
  const options = { env: completing.env, ...discovery(draft.id) };
  const found = await discoverModels(provider, options, signal);
  const known = new Set(draft.models.map((model) => model.id));
  const models = [...draft.models, ...found.filter((model) => !known.has(model.id))];
  if (models.length === 0)
    throw new RunFailed(
      failure("provider_unavailable", `${draft.id}: the server lists no models`, {
        remedy: `load a model there, or list its models in providers.${draft.id}.models`,
        provider: draft.id,
      }),
    );
  return { ...provider, models };
}

/** The same without a command and without the network: what a command would say is left out, and named. */
export async function peekAtProvider(
  draft: ProviderDraft,
  completing: Completing,
  signal: AbortSignal,
): Promise<PeekedProvider> {
  const headers = Object.entries(draft.extraHeaders);
  const saysKey = asksCommand(draft.apiKey);
  const saysUrl = asksCommand(draft.baseUrl);
  const silent: ProviderDraft = {
    ...draft,
    discover: false,
    apiKey: saysKey ? null : draft.apiKey,
    keyNames: saysKey ? [] : draft.keyNames,
    baseUrl: saysUrl ? null : draft.baseUrl,
    extraHeaders: Object.fromEntries(headers.filter(([, template]) => !asksCommand(template))),
  };
  const provider = await completeProvider(silent, completing, signal);
  return {
    provider: saysUrl ? { ...provider, baseUrl: null } : provider,
    said: [
      ...(saysKey ? ["api_key"] : []),
      ...(saysUrl ? ["base_url"] : []),
      ...headers.filter(([, one]) => asksCommand(one)).map(([name]) => `extra_headers.${name}`),
    ],
  };
}

const fixedParts = (draft: ProviderDraft) => ({
  id: draft.id,
  name: draft.name,
  extraBody: draft.extraBody,
  providerOptions: draft.providerOptions,
  systemPromptPrefix: draft.systemPromptPrefix,
});

async function baseUrlOf(
  draft: ProviderDraft,
  completing: Completing,
  signal: AbortSignal,
): Promise<string | null> {
  const { lookup } = completing.expansion;
  const fromEnv = draft.baseUrlName === null ? undefined : lookup(draft.baseUrlName);
  const given =
    draft.baseUrl === null
      ? fromEnv
      : await expandField(draft, ["base_url"], draft.baseUrl, completing, signal);
  if (given === undefined || given === "") {
    if (draft.defaultBaseUrl !== null) return draft.defaultBaseUrl;
    if (draft.id === "ollama") return ollamaUrl(lookup("OLLAMA_HOST"));
    if (draft.baseUrl === null || draft.keyNames.length > 0) return null;
    throw invalidConfig(
      `${await completing.locate(["providers", draft.id, "base_url"])}: providers.${draft.id}.base_url expands to nothing`,
      `set ${variablesOf(parseTemplate(draft.baseUrl)).join(", ") || "it"}`,
    );
  }
  const url = normalBaseUrl(given, draft.type);
  if (url !== null) return url;
  const source =
    draft.baseUrl === null
      ? `${draft.baseUrlName} of the environment`
      : `${await completing.locate(["providers", draft.id, "base_url"])}: providers.${draft.id}.base_url`;
  throw invalidConfig(`${source} is not an http or https URL`, "write it as https://host/path");
}

async function keyOf(
  draft: ProviderDraft,
  baseUrl: string | null,
  completing: Completing,
  signal: AbortSignal,
): Promise<string | null> {
  if (draft.apiKey === null) {
    const { lookup } = completing.expansion;
    return draft.keyNames.map(lookup).find((value) => value !== undefined && value !== "") ?? null;
  }
  const key = await expandField(draft, ["api_key"], draft.apiKey, completing, signal);
  if (key === "") return null;
  if (!isPlaceholder(key, draft.apiKey, baseUrl)) completing.keepSecret(key);
  return key;
}

async function expandField(
  draft: ProviderDraft,
  field: readonly string[],
  template: string,
  completing: Completing,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await expand(template, completing.expansion, signal);
  } catch (error) {
    if (!(error instanceof ExpandFailed)) throw error;
    const path = ["providers", draft.id, ...field];
    throw invalidConfig(
      `${await completing.locate(path)}: ${path.join(".")} cannot be expanded: ${error.message}`,
      "correct the value, or what it refers to",
      error,
    );
  }
}

function keyMissing(draft: ProviderDraft): RunFailed {
  const names = draft.apiKey === null ? draft.keyNames : variablesOf(parseTemplate(draft.apiKey));
  const { why, remedy } =
    names.length > 0
      ? withoutKey(draft.id, draft.name, names)
      : { why: "no key: its api_key is empty", remedy: `set providers.${draft.id}.api_key` };
  return new RunFailed(
    failure("auth_missing", `${draft.id}: ${why}`, { remedy, provider: draft.id }),
  );
}

const isSecretName = (name: string): boolean => /auth|key|token|secret|cookie/i.test(name);
const usesVariable = (template: string): boolean =>
  parseTemplate(template).some((part) => part.type !== "text");

/** "ollama", "lm-studio", "not-needed": a word for a local server. Masking it would spoil the answer's text. */
const isPlaceholder = (key: string, template: string, baseUrl: string | null): boolean =>
  key === template &&
  /^[a-z]+([-_ ][a-z]+)*$/i.test(key) &&
  baseUrl !== null &&
  /^(localhost|127\.|\[::1\])/.test(new URL(baseUrl).hostname);
