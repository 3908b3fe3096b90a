import type { ModelInfo, ProviderType } from "./config.ts";

/** A provider that needs nothing but a key in the environment. */
export interface CatalogueEntry {
  /** The first is its name with us; the others are what Crush calls it. */
  readonly ids: readonly [string, ...string[]];
  readonly name: string;
  readonly type: ProviderType;
  readonly baseUrl: string;
  /** Environment variables that hold its key; the first that is set counts. */
  readonly keyNames: readonly [string, ...string[]];
  /** The variable by which the vendor's own tools are sent elsewhere. */
  readonly baseUrlName: string | null;
  readonly defaultLarge: string;
  readonly defaultSmall: string;
  readonly load: () => Promise<{ readonly default: Table }>;
}

/** What scripts/generate-catalogue.ts writes. */
interface Table {
  readonly columns: readonly string[];
  readonly models: readonly (readonly (string | number | boolean | null)[])[];
}

/** In the order in which a default is looked for. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    ids: ["openai"],
    name: "OpenAI",
    type: "openai",
    baseUrl: "https://api.openai.com/v1",
    keyNames: ["OPENAI_API_KEY"],
    baseUrlName: "OPENAI_BASE_URL",
    defaultLarge: "gpt-5.4",
    defaultSmall: "gpt-5.4-mini",
    load: () => import("./catalogue/openai.json", { with: { type: "json" } }),
  },
  {
    ids: ["anthropic"],
    name: "Anthropic",
    type: "anthropic",
    baseUrl: "https://api.anthropic.com/v1",
    keyNames: ["ANTHROPIC_API_KEY"],
    baseUrlName: "ANTHROPIC_BASE_URL",
    defaultLarge: "claude-sonnet-4-6",
    defaultSmall: "claude-haiku-4-5",
    load: () => import("./catalogue/anthropic.json", { with: { type: "json" } }),
  },
  {
    ids: ["google", "gemini"],
    name: "Google Gemini",
    type: "google",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    keyNames: ["GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_API_KEY"],
    baseUrlName: null,
    defaultLarge: "gemini-3.1-pro-preview",
    defaultSmall: "gemini-flash-latest",
    load: () => import("./catalogue/google.json", { with: { type: "json" } }),
  },
  {
    ids: ["openrouter"],
    name: "OpenRouter",
    type: "openrouter",
    baseUrl: "https://openrouter.ai/api/v1",
    keyNames: ["OPENROUTER_API_KEY"],
    baseUrlName: null,
    defaultLarge: "anthropic/claude-sonnet-4.6",
    defaultSmall: "anthropic/claude-haiku-4.5",
    load: () => import("./catalogue/openrouter.json", { with: { type: "json" } }),
  },
  {
    ids: ["groq"],
    name: "Groq",
    type: "openai-compat",
    baseUrl: "https://api.groq.com/openai/v1",
    keyNames: ["GROQ_API_KEY"],
    baseUrlName: null,
    defaultLarge: "openai/gpt-oss-120b",
    defaultSmall: "openai/gpt-oss-20b",
    load: () => import("./catalogue/groq.json", { with: { type: "json" } }),
  },
  {
    ids: ["mistral"],
    name: "Mistral",
    type: "openai-compat",
    baseUrl: "https://api.mistral.ai/v1",
    keyNames: ["MISTRAL_API_KEY"],
    baseUrlName: null,
    defaultLarge: "mistral-large-latest",
    defaultSmall: "mistral-small-latest",
    load: () => import("./catalogue/mistral.json", { with: { type: "json" } }),
  },
  {
    ids: ["xai"],
    name: "xAI",
    type: "openai-compat",
    baseUrl: "https://api.x.ai/v1",
    keyNames: ["XAI_API_KEY"],
    baseUrlName: null,
    defaultLarge: "grok-4.3",
    defaultSmall: "grok-4-1-fast",
    load: () => import("./catalogue/xai.json", { with: { type: "json" } }),
  },
  {
    ids: ["deepseek"],
    name: "DeepSeek",
    type: "openai-compat",
    baseUrl: "https://api.deepseek.com",
    keyNames: ["DEEPSEEK_API_KEY"],
    baseUrlName: null,
    defaultLarge: "deepseek-v4-pro",
    defaultSmall: "deepseek-v4-flash",
    load: () => import("./catalogue/deepseek.json", { with: { type: "json" } }),
  },
];

export const catalogueEntry = (id: string): CatalogueEntry | undefined =>
  CATALOGUE.find((entry) => entry.ids.includes(id));

/** The models of an entry, loaded on demand: the table is not needed for a run on another provider. */
export async function catalogueModels(entry: CatalogueEntry): Promise<readonly ModelInfo[]> {
  const { columns, models } = (await entry.load()).default;
  const column = (name: string): number => columns.indexOf(name);
  const at = {
    id: column("id"),
    name: column("name"),
    input: column("input"),
    output: column("output"),
    cacheRead: column("cache_read"),
    cacheWrite: column("cache_write"),
    contextWindow: column("context_window"),
    maxTokens: column("max_tokens"),
    reasoning: column("reasoning"),
    images: column("images"),
  };
  return models.map((row) => {
    const number = (index: number): number | null => {
      const value = row[index];
      return typeof value === "number" ? value : null;
    };
    return {
      id: String(row[at.id]),
      name: String(row[at.name]),
      costPer1mIn: number(at.input),
      costPer1mOut: number(at.output),
      costPer1mInCached: number(at.cacheWrite),
      costPer1mOutCached: number(at.cacheRead),
      contextWindow: number(at.contextWindow),
      defaultMaxTokens: number(at.maxTokens),
      canReason: row[at.reasoning] === true,
      supportsAttachments: row[at.images] === true,
    };
  });
}
