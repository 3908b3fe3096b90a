import type { ProviderType } from "./config.ts";

/** `type` of a configured provider → the wire family it speaks. protocol.md section 10.3. */
const FAMILIES: Readonly<Record<string, ProviderType>> = {
  openai: "openai",
  "openai-responses": "openai-responses",
  "openai-compat": "openai-compat",
  litellm: "openai-compat",
  llamacpp: "openai-compat",
  lmstudio: "openai-compat",
  ollama: "openai-compat",
  omlx: "openai-compat",
  vercel: "openai-compat",
  openrouter: "openrouter",
  anthropic: "anthropic",
  google: "google",
  gemini: "google",
  scripted: "scripted",
};

export const PROVIDER_TYPES = Object.keys(FAMILIES).filter((type) => type !== "scripted");

/** Null for a type that this version does not speak. */
export const familyOf = (type: string): ProviderType | null =>
  Object.hasOwn(FAMILIES, type) ? (FAMILIES[type] ?? null) : null;

const PUBLIC_OPENAI = "https://api.openai.com/v1";

/**
 * OpenAI's own endpoint is spoken to by its responses API; whoever else serves the `openai` type is most often
 * known to speak the chat API alone. `responses` of the configuration decides otherwise.
 */
export function openaiDialect(
  baseUrl: string | null,
  responses: boolean | undefined,
): ProviderType {
  const isPublic = baseUrl === null || baseUrl === PUBLIC_OPENAI;
  return (responses ?? isPublic) ? "openai-responses" : "openai";
}

/** The version segment that the family's SDK expects at the end; people write the URL with and without it. */
const VERSION: Partial<Record<ProviderType, string>> = { anthropic: "/v1", google: "/v1beta" };

/** Without a trailing slash and with the family's version segment. Null when it is not an http URL. */
export function normalBaseUrl(url: string, family: ProviderType): string | null {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return null;
  const bare = url.replace(/\/+$/, "");
  return /\/v\d+[a-z]*$/.test(bare) ? bare : bare + (VERSION[family] ?? "");
}

/** Ollama's own variable, in each of the forms it takes. */
export function ollamaUrl(host: string | undefined): string {
  const given = (host ?? "").trim().replace(/\/+$/, "");
  const scheme = /^https?:\/\//.exec(given)?.[0] ?? "";
  const rest = given.slice(scheme.length);
  const [, name = "", port = ""] = /^(\[[^\]]*\]|[^:/]*)(?::(\d+))?/.exec(rest) ?? [];
  const implied = scheme === "" ? "11434" : scheme === "https://" ? "443" : "80";
  // The address a server listens on is not one to call.
  const callable = name === "" || name === "0.0.0.0" || name === "[::]" ? "127.0.0.1" : name;
  return `${scheme || "http://"}${callable}:${port || implied}/v1`;
}
