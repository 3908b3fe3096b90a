import type { JsonObject } from "../shared/json.ts";

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
  readonly costPer1mInCached: number | null;
  readonly costPer1mOutCached: number | null;
  /** Tokens. */
  readonly contextWindow: number | null;
  readonly defaultMaxTokens: number | null;
  readonly canReason: boolean;
  readonly supportsAttachments: boolean;
}

/** A usable provider: its key is expanded, its models are known. */
export interface ProviderConfig {
  readonly id: string;
  readonly name: string;
  readonly type: ProviderType;
  /** Without a trailing slash; null means the family's public default. */
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
  readonly why: string;
  readonly remedy: string;
}

/** A chosen model with the parameters it is to be called with. */
export interface SelectedModel {
  readonly provider: ProviderConfig;
  readonly model: ModelInfo;
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
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly unusable: readonly UnusableProvider[];
  /** What `models.large` and `models.small` select; null when nothing usable is configured. */
  readonly large: SelectedModel | null;
  readonly small: SelectedModel | null;
  readonly contextFiles: readonly ContextFile[];
  readonly disabledTools: ReadonlySet<string>;
  /** `permissions.allowed_tools`: `tool` or `tool:action`. */
  readonly allowedTools: readonly string[];
  /** `env` of the configuration, expanded; to be added to the environment of tools. */
  readonly env: Readonly<Record<string, string>>;
  /** Every secret value that was expanded; masked in all output. */
  readonly secrets: readonly string[];
  /** Names of environment variables that hold provider keys; removed from the tools' environment. */
  readonly secretEnvNames: readonly string[];
  /** Things read but not carried out; each is one line for stderr. */
  readonly warnings: readonly string[];
}
