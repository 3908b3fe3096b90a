import type { RunOptions } from "../protocol/run-options.ts";
import type { JsonObject } from "../shared/json.ts";
import type { ConfiguredRules } from "./permission-rules.ts";

/** Wire families a provider can speak. protocol.md section 10.3. */
export type ProviderType =
  | "openai"
  | "openai-responses"
  | "openai-compat"
  | "openrouter"
  | "anthropic"
  | "google"
  | "demo"
  | "scripted";

/** One model of a provider. A price or size that is not known is null, never guessed. */
export interface ModelInfo {
  readonly id: string;
  readonly name: string;
  /** US dollars per million tokens. */
  readonly costPer1mIn: number | null;
  readonly costPer1mOut: number | null;
  /** Crush's names mislead: this one is for input tokens WRITTEN to the provider's cache. */
  readonly costPer1mInCached: number | null;
  /** And this one for input tokens READ from the cache. */
  readonly costPer1mOutCached: number | null;
  /** Tokens. */
  readonly contextWindow: number | null;
  readonly defaultMaxTokens: number | null;
  readonly canReason: boolean;
  readonly supportsAttachments: boolean;
  /** `reasoning_levels` of the configuration: the efforts that it knows, where they are told. */
  readonly reasoningLevels?: readonly string[];
}

/**
 * A usable provider. In `SelectedModel.provider` its key is expanded and its models are known. In `Config.providers`
 * that also holds unless `Config.completions` has its id: then key, headers or models still wait.
 */
export interface ProviderConfig {
  readonly id: string;
  readonly name: string;
  readonly type: ProviderType;
  /**
   * Without a trailing slash; null means the family's public default. With the version segment that the family's
   * SDK expects: `…/v1` for anthropic, `…/v1beta` for google.
   */
  readonly baseUrl: string | null;
  /** Null when the provider needs none (a local server, the demo). */
  readonly apiKey: string | null;
  readonly extraHeaders: Readonly<Record<string, string>>;
  /** Merged verbatim into each request body. */
  readonly extraBody: JsonObject;
  /** Passed to the adapter under its own key. */
  readonly providerOptions: JsonObject;
  readonly systemPromptPrefix: string | null;
  readonly models: readonly ModelInfo[];
}

/** Why a provider or model cannot be used now, and what to do about it. */
export interface UnusableProvider {
  readonly id: string;
  readonly name: string;
  /** How a run ends that asks for it all the same. */
  readonly reason:
    | "auth_missing"
    | "auth_refused"
    | "invalid_config"
    | "provider_error"
    | "provider_unavailable";
  readonly why: string;
  readonly remedy: string;
}

/** The parameters a model is to be called with; null leaves the provider's default. */
export interface ModelParameters {
  readonly maxTokens: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
  readonly reasoningEffort: string | null;
  readonly think: boolean;
  readonly providerOptions: JsonObject;
}

/** What a run asks of its model itself. */
export type AskedParameters = Pick<RunOptions, "reasoningEffort" | "temperature">;

/** A chosen model with the parameters it is to be called with. */
export interface SelectedModel extends ModelParameters {
  readonly provider: ProviderConfig;
  readonly model: ModelInfo;
  /** Among the parameters, and not to be left out. */
  readonly asked?: AskedParameters;
}

/** What `models.large` or `models.small` asks for, not yet matched with a provider. */
export interface ModelChoice extends ModelParameters {
  readonly providerId: string;
  readonly modelId: string;
  /** Finds `file:line:column` of the entry; for a failure, so that a good configuration is not parsed twice. */
  readonly where: () => Promise<string>;
}

/** What is still to be done before a provider can be called. */
export interface Completion {
  /** Whether its list of models is to be asked for. */
  readonly discovers: boolean;
  /** As far as it is known without running a command or asking the network. Throws like `finish`. */
  readonly peek: (signal: AbortSignal) => Promise<PeekedProvider>;
  /** Runs its `$(command)`, asks for its models. Throws `RunFailed`, or `signal.reason` when aborted. */
  readonly finish: (signal: AbortSignal) => Promise<ProviderConfig>;
  /** What may become another value: key and headers that a command says; null when none does. */
  readonly credentials: Credentials | null;
}

/** A provider that was not asked for anything. */
export interface PeekedProvider {
  readonly provider: ProviderConfig;
  /** Its fields that a command would say: `api_key`, `base_url`, `extra_headers.X-Name`. */
  readonly said: readonly string[];
}

/** Key and headers that a `$(command)` says. */
export interface Credentials {
  /** Milliseconds since the command was last asked; infinite before the first time. */
  readonly ageMs: () => number;
  /** Asks it again; the models stay. From then on `finish` gives this. Throws like it. */
  readonly renew: (signal: AbortSignal) => Promise<ProviderConfig>;
}

/** A file whose content goes into the system prompt. */
export interface ContextFile {
  /** Relative to the working directory where it is inside it, else absolute. */
  readonly path: string;
  readonly content: string;
}

/** Everything a run needs to know, found, merged, expanded and checked. */
export interface Config {
  /** Real path. */
  readonly workingDirectory: string;
  /** Absolute; not created by loading. */
  readonly dataDirectory: string;
  /** Absolute paths of the files that were read, lowest priority first. */
  readonly sources: readonly string[];
  /** Every enabled provider, in the order in which a default is looked for. */
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly unusable: readonly UnusableProvider[];
  /** By provider id; carried out by `resolveModel` for the chosen one. `ollama` may be here and not in `providers`. */
  readonly completions: ReadonlyMap<string, Completion>;
  readonly choices: { readonly large: ModelChoice | null; readonly small: ModelChoice | null };
  /**
   * What is used without `-m`, as far as it is known without a command or the network; a run takes it from
   * `resolveModel`, which completes it and says why it is null.
   */
  readonly large: SelectedModel | null;
  readonly small: SelectedModel | null;
  readonly contextFiles: readonly ContextFile[];
  /** Whether a conversation that fills the model's context is summarised. */
  readonly autoSummarize: boolean;
  readonly disabledTools: ReadonlySet<string>;
  /** `permissions`, understood. */
  readonly rules: ConfiguredRules;
  /** `env` of the configuration, expanded; to be added to the environment of tools. */
  readonly env: Readonly<Record<string, string>>;
  /** Every secret value that was expanded; masked in all output. Grows when `resolveModel` completes a provider. */
  readonly secrets: readonly string[];
  /** Names of environment variables that hold provider keys; removed from the tools' environment. */
  readonly secretEnvNames: readonly string[];
  /** Things read but not carried out; each is one line for stderr. */
  readonly warnings: readonly string[];
}
