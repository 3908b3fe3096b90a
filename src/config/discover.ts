import type { IncomingMessage } from "node:http";
import { httpGet } from "../net/http-get.ts";
import { inWords } from "../net/in-words.ts";
import { outgoing } from "../net/outgoing.ts";
import { TransportFailed } from "../net/transport-failed.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import { isJsonObject, type JsonObject } from "../shared/json.ts";
import { childScope } from "../shared/scope.ts";
import type { ModelInfo, ProviderConfig } from "./config.ts";
import type { Env } from "./places.ts";

const MAX_BYTES = 4 * 1024 * 1024;

export interface DiscoverOptions {
  /** For proxies and CA files. */
  readonly env: Env;
  readonly connectMs: number;
  readonly totalMs: number;
  /** What a person is told when nobody answers. */
  readonly remedy: string;
}

/** The models that `<base_url>/models` lists, sorted by id. Throws `RunFailed`, or `signal.reason` when aborted. */
export async function discoverModels(
  provider: ProviderConfig,
  options: DiscoverOptions,
  signal: AbortSignal,
): Promise<readonly ModelInfo[]> {
  const url = `${provider.baseUrl ?? ""}/models`;
  let status = 0;
  try {
    const answer = await get(provider, url, options, signal);
    status = answer.status;
    if (status !== 200) throw new Error(`status ${status}`);
    return modelsIn(JSON.parse(answer.body));
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof SyntaxError ? "not JSON" : messageOf(error);
    const broken = error instanceof TransportFailed ? error : null;
    const refused = status === 401 || status === 403;
    const lasting = broken?.retryable === false ? "provider_error" : "provider_unavailable";
    throw new RunFailed(
      failure(
        refused ? "auth_refused" : lasting,
        `${provider.id}: cannot list its models at ${withoutUser(url)}: ${why}`,
        {
          remedy: refused
            ? `check providers.${provider.id}.api_key`
            : (broken?.remedy ?? options.remedy),
          httpStatus: status === 0 ? null : status,
          provider: provider.id,
        },
      ),
      { cause: error },
    );
  }
}

/** A password in a URL has no business in a message. */
const withoutUser = (url: string): string => url.replace(/^(https?:\/\/)[^/?#]*@/i, "$1");

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
};

function headersFor(provider: ProviderConfig): Record<string, string> {
  const key = provider.apiKey;
  const auth: Record<string, string> =
    key === null
      ? {}
      : provider.type === "anthropic"
        ? { "x-api-key": key, "anthropic-version": "2023-06-01" }
        : provider.type === "google"
          ? { "x-goog-api-key": key }
          : { authorization: `Bearer ${key}` };
  return { accept: "application/json", ...auth, ...provider.extraHeaders };
}

async function get(
  provider: ProviderConfig,
  url: string,
  options: DiscoverOptions,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const { env, connectMs, totalMs } = options;
  using scope = childScope(signal);
  const late = new Error(`no answer within ${inWords(totalMs)}`);
  const timer = setTimeout(() => scope.abort(late), totalMs);
  try {
    const out = outgoing(env, { connectMs, keepAlive: false });
    const answer = await httpGet(out, new URL(url), headersFor(provider), scope.signal);
    return { status: answer.statusCode ?? 0, body: await collect(answer) };
  } finally {
    clearTimeout(timer);
  }
}

async function collect(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    const buffer: Buffer = chunk;
    bytes += buffer.length;
    if (bytes > MAX_BYTES) throw new Error("the list is larger than 4 MiB");
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** OpenAI's list is under `data`, Gemini's under `models` with `models/` before each name. */
function modelsIn(answer: unknown): readonly ModelInfo[] {
  const list = isJsonObject(answer) ? (answer["data"] ?? answer["models"]) : null;
  if (!Array.isArray(list)) throw new Error("the answer holds no list of models");
  return list
    .filter(isJsonObject)
    .flatMap((entry) => {
      const id = textOf(entry["id"]) ?? textOf(entry["name"])?.replace(/^models\//, "");
      return id === undefined ? [] : [modelFrom(id, entry)];
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** The names under which servers tell the size of the context: OpenRouter, vLLM, LM Studio, Gemini. */
const CONTEXT_NAMES = ["context_length", "max_model_len", "max_context_length", "inputTokenLimit"];

function modelFrom(id: string, entry: JsonObject): ModelInfo {
  const context = CONTEXT_NAMES.map((name) => entry[name]).find(
    (value) => typeof value === "number" && value > 0,
  );
  return {
    id,
    name: textOf(entry["display_name"]) ?? textOf(entry["displayName"]) ?? id,
    costPer1mIn: null,
    costPer1mOut: null,
    costPer1mInCached: null,
    costPer1mOutCached: null,
    contextWindow: typeof context === "number" ? context : null,
    defaultMaxTokens: null,
    canReason: false,
    supportsAttachments: false,
  };
}
