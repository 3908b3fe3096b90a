import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ProviderType, SelectedModel } from "../../src/config/config.ts";
import type { LanguageModel, ModelCall, StepPart } from "../../src/provider/language-model.ts";
import { openModel } from "../../src/provider/open-model.ts";
import type { JsonObject } from "../../src/shared/json.ts";

/** What one request asked. */
export interface Asked {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

export interface Loopback extends AsyncDisposable {
  readonly url: string;
  readonly asked: Asked[];
  readonly server: Server;
}

/** A server on loopback that answers each request with `answer`; gone with its scope. */
export async function loopback(
  answer: (response: ServerResponse, asked: Asked, n: number) => void,
): Promise<Loopback> {
  const asked: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
      asked.push({ url: request.url ?? "", headers: request.headers, body });
      answer(response, asked.at(-1) as Asked, asked.length);
    });
  };
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    server,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export const SSE = { "content-type": "text/event-stream; charset=utf-8" };

/** Answers with these events (objects become JSON) and ends. */
export function sendEvents(response: ServerResponse, events: readonly unknown[]): void {
  response.writeHead(200, SSE);
  response.end(framed(events));
}

export const framed = (events: readonly unknown[]): string =>
  events
    .map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`)
    .join("");

type Overrides = Partial<Omit<SelectedModel, "provider" | "model">> & {
  readonly provider?: Partial<SelectedModel["provider"]>;
  readonly model?: Partial<SelectedModel["model"]>;
};

/** A selected model whose provider is at `baseUrl`. */
export function selectedModel(
  type: ProviderType,
  baseUrl: string | null,
  overrides: Overrides = {},
): SelectedModel {
  const { provider, model, ...parameters } = overrides;
  return {
    provider: {
      id: "acme",
      name: "Acme",
      type,
      baseUrl,
      apiKey: "sk-very-secret-key",
      extraHeaders: {},
      extraBody: {},
      providerOptions: {},
      systemPromptPrefix: null,
      models: [],
      ...provider,
    },
    model: {
      id: "some-model",
      name: "Some Model",
      costPer1mIn: null,
      costPer1mOut: null,
      costPer1mInCached: null,
      costPer1mOutCached: null,
      contextWindow: null,
      defaultMaxTokens: 1000,
      canReason: false,
      supportsAttachments: false,
      ...model,
    },
    maxTokens: null,
    temperature: null,
    topP: null,
    topK: null,
    frequencyPenalty: null,
    presencePenalty: null,
    reasoningEffort: null,
    think: false,
    providerOptions: {},
    ...parameters,
  };
}

export const open = (
  type: ProviderType,
  baseUrl: string,
  overrides: Overrides = {},
  env: Record<string, string> = {},
): Promise<LanguageModel> =>
  openModel(selectedModel(type, baseUrl, overrides), {
    env,
    sessionId: "session",
    workingDirectory: "/",
  });

export const HI: ModelCall = {
  system: "Be brief.",
  messages: [
    {
      id: "m1" as never,
      sessionId: "s1" as never,
      role: "user",
      parts: [{ type: "text", text: "hi" }],
      model: "",
      provider: "",
      createdAt: 0,
      updatedAt: 0,
    },
  ],
  tools: [
    {
      name: "view",
      description: "Shows a file",
      inputSchema: { type: "object", properties: { path: { type: "string" } } },
    },
  ],
};

/** All parts, with neighbouring text and reasoning joined. */
export async function collect(
  model: LanguageModel,
  call: ModelCall = HI,
  signal: AbortSignal = new AbortController().signal,
): Promise<StepPart[]> {
  const parts: StepPart[] = [];
  for await (const part of model.stream(call, signal)) {
    const last = parts.at(-1);
    if (
      (part.type === "text" || part.type === "reasoning") &&
      last?.type === part.type &&
      !("providerMetadata" in part) &&
      !("providerMetadata" in last)
    )
      parts[parts.length - 1] = { ...last, text: last.text + part.text };
    else parts.push(part);
  }
  return parts;
}

/** What a call failed with; the call must fail. */
export async function failureOf(calling: Promise<unknown>): Promise<unknown> {
  try {
    await calling;
  } catch (error) {
    return error;
  }
  throw new Error("the call did not fail");
}

/** One event of each API that carries text. */
export const chatText = (content: string): JsonObject => ({
  id: "c1",
  object: "chat.completion.chunk",
  created: 1,
  model: "some-model",
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
});

export const chatFinish = (reason: string): JsonObject => ({
  ...chatText(""),
  choices: [{ index: 0, delta: {}, finish_reason: reason }],
});
