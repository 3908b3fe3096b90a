import { RunFailed } from "../protocol/ending.ts";
import { monotonicMs } from "../shared/clock.ts";
import { singleFlight } from "../shared/single-flight.ts";
import { CATALOGUE } from "./catalogue.ts";
import {
  completeProvider,
  hasChangingCredentials,
  needsMore,
  peekAtProvider,
  unfinished,
  type Completing,
} from "./complete-provider.ts";
import type {
  Completion,
  Credentials,
  ModelInfo,
  ProviderConfig,
  UnusableProvider,
} from "./config.ts";
import { draftProviders, type ProviderDraft } from "./provider-draft.ts";
import type { CrushJson } from "./schema.ts";
import { parseTemplate, variablesOf } from "./template.ts";

export interface LoadedProviders {
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly unusable: readonly UnusableProvider[];
  readonly completions: ReadonlyMap<string, Completion>;
}

/**
 * Every provider that can be used, as far as it is known without running a command or asking the network; the rest of
 * the work is in `completions`. One that cannot be expanded is unusable, and no error until somebody chooses it.
 */
export async function loadProviders(
  merged: CrushJson,
  catalogued: boolean,
  completing: Completing,
  signal: AbortSignal,
): Promise<LoadedProviders> {
  const { demo: _, ...configured } = merged.providers ?? {};
  const { lookup } = completing.expansion;
  const drafts = await draftProviders(
    configured,
    catalogued,
    (name) => (lookup(name) ?? "") !== "",
  );
  const providers = new Map<string, ProviderConfig>();
  const completions = new Map<string, Completion>();
  const unusable = [...drafts.unusable];
  for (const draft of drafts.usable) {
    if (needsMore(draft)) {
      providers.set(draft.id, unfinished(draft));
      completions.set(draft.id, completion(draft, completing));
      continue;
    }
    try {
      providers.set(draft.id, await completeProvider(draft, completing, signal));
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      unusable.push(asUnusable(draft, error));
    }
  }
  if (catalogued && configured["ollama"] === undefined) {
    const [ollama] = (await draftProviders({ ollama: { name: "Ollama" } }, false, () => false))
      .usable;
    if (ollama) completions.set(ollama.id, completion(ollama, completing));
  }
  providers.set(DEMO.id, DEMO);
  return { providers, unusable, completions };
}

/** Done once, and once for all who ask at the same time; a failure may be tried again. */
function completion(draft: ProviderDraft, completing: Completing): Completion {
  let done: ProviderConfig | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  const complete = singleFlight(async (signal) => {
    const from = done === null ? draft : { ...draft, models: done.models, discover: false };
    done = await completeProvider(from, completing, signal);
    askedAt = monotonicMs();
    return done;
  });
  const credentials: Credentials = {
    ageMs: () => monotonicMs() - askedAt,
    renew: complete,
  };
  return {
    discovers: draft.discover,
    peek: async (signal) => await peekAtProvider(draft, completing, signal),
    finish: async (signal) => done ?? (await complete(signal)),
    credentials: hasChangingCredentials(draft) ? credentials : null,
  };
}

export function asUnusable(
  provider: { readonly id: string; readonly name: string },
  { failure }: RunFailed,
): UnusableProvider {
  const { reason } = failure;
  const known =
    reason === "auth_missing" ||
    reason === "auth_refused" ||
    reason === "provider_error" ||
    reason === "provider_unavailable";
  // `id: why` is how a failure of a provider is worded; the list has the id in front already.
  const why = failure.message.startsWith(`${provider.id}: `)
    ? failure.message.slice(provider.id.length + 2)
    : failure.message;
  return {
    id: provider.id,
    name: provider.name,
    reason: known ? reason : "invalid_config",
    why,
    remedy: failure.remedy ?? "correct the configuration",
  };
}

const OFFLINE: ModelInfo = {
  id: "offline",
  name: "Offline demo",
  costPer1mIn: 0,
  costPer1mOut: 0,
  costPer1mInCached: 0,
  costPer1mOutCached: 0,
  contextWindow: null,
  defaultMaxTokens: null,
  canReason: false,
  supportsAttachments: false,
};

/** Always there, never a default. */
const DEMO: ProviderConfig = {
  id: "demo",
  name: "Demo",
  type: "demo",
  baseUrl: null,
  apiKey: null,
  extraHeaders: {},
  extraBody: {},
  providerOptions: {},
  systemPromptPrefix: null,
  models: [OFFLINE],
};

/** Every variable that holds a provider's key, set or not, with its `CRUSH_` twin; sorted. */
export function secretNames(merged: CrushJson): readonly string[] {
  const templates = Object.values(merged.providers ?? {}).flatMap((provider) => [
    provider.api_key ?? "",
    ...Object.entries(provider.extra_headers ?? {})
      .filter(([name]) => /auth|key|token|secret|cookie/i.test(name))
      .map(([, value]) => value),
  ]);
  const names = [
    ...CATALOGUE.flatMap((entry) => entry.keyNames),
    ...templates.flatMap((template) => variablesOf(parseTemplate(template))),
  ];
  return [...new Set(names.flatMap((name) => [name, `CRUSH_${name}`]))].sort();
}
