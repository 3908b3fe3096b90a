import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { sendAnswer } from "./fake-sender.ts";
import type { FakeStep, FakeWire } from "./fake-script.ts";
import { anthropic } from "./wire/anthropic.ts";
import { gemini } from "./wire/gemini.ts";
import { openaiChat } from "./wire/openai-chat.ts";
import { openaiResponses } from "./wire/openai-responses.ts";

/** One request as it arrived. */
export interface FakeRequest {
  /** Counted from 0. */
  readonly index: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The decoded JSON body; the text itself when it is not JSON. */
  readonly body: unknown;
  /** Monotonic clock, nanoseconds; comparable between processes of one Linux machine. */
  readonly arrivedAt: bigint;
  /** When the last byte of the answer was handed to the socket; undefined before. */
  lastByteAt?: bigint;
  /** Whether the client closed the connection before the answer was complete. */
  clientLeft: boolean;
}

/** A step for every request, one step per request in order, or a function. */
export type FakeScript =
  | FakeStep
  | readonly FakeStep[]
  | ((request: FakeRequest) => FakeStep | Promise<FakeStep>);

export interface FakeProvider extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a path: add `/v1` or `/v1beta` for a client's base URL. */
  readonly url: string;
  /** In order of arrival; an entry appears when its body has been read. */
  readonly requests: readonly FakeRequest[];
  /** Resolves with the n-th request (counted from 1) once it has arrived; rejects after `timeoutMs`. */
  waitForRequest(n: number, timeoutMs?: number): Promise<FakeRequest>;
  /** Cuts every connection and stops listening. Harmless when repeated. */
  close(): Promise<void>;
}

/**
 * An HTTP server on loopback that speaks OpenAI chat, OpenAI responses, Anthropic messages and Gemini (by path)
 * and does with each request what the script says, faults included. A request beyond the end of a list
 * is answered with 400 and says so. `GET /stamps` lists arrival and last byte of every request so far.
 */
export async function startFakeProvider(
  script: FakeScript,
  options: { port?: number } = {},
): Promise<FakeProvider> {
  const requests: FakeRequest[] = [];
  const arrivals = new Set<() => void>();

  const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (incoming, response) => {
    const arrivedAt = process.hrtime.bigint();
    response.on("error", () => {}); // the client may leave at any time; `clientLeft` records it
    answer(incoming, response, arrivedAt).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: { message: String(error) } });
    });
  });

  async function answer(
    incoming: IncomingMessage,
    response: ServerResponse,
    arrivedAt: bigint,
  ): Promise<void> {
    const path = incoming.url ?? "/";
    if (path === "/stamps") return sendJson(response, 200, stamps(requests));
    const body = await readBody(incoming);
    const request: FakeRequest = {
      index: requests.length,
      method: incoming.method ?? "",
      path,
      headers: incoming.headers,
      body,
      arrivedAt,
      clientLeft: false,
    };
    requests.push(request);
    for (const notify of arrivals) notify();
    response.on("close", () => {
      request.clientLeft = !response.writableEnded;
    });

    const wire = wireOf(path);
    if (wire === undefined) {
      return sendJson(response, 404, { error: { message: `no such route: ${path}` } });
    }
    await perform(request, response, wire, await stepFor(script, request));
    request.lastByteAt = process.hrtime.bigint();
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close,
    [Symbol.asyncDispose]: close,
    waitForRequest: (n, timeoutMs = 10_000) =>
      new Promise((resolve, reject) => {
        const settle = (): void => {
          const found = requests[n - 1];
          if (found === undefined) return;
          clearTimeout(timer);
          arrivals.delete(settle);
          resolve(found);
        };
        const timer = setTimeout(() => {
          arrivals.delete(settle);
          reject(new Error(`request ${n} did not arrive in ${timeoutMs} ms`));
        }, timeoutMs);
        arrivals.add(settle);
        settle();
      }),
  };
}

function wireOf(path: string): FakeWire | undefined {
  const { pathname } = new URL(path, "http://fake");
  if (pathname.endsWith("/chat/completions")) return openaiChat;
  if (pathname.endsWith("/responses")) return openaiResponses;
  if (pathname.endsWith("/messages")) return anthropic;
  if (pathname.endsWith(":streamGenerateContent")) return gemini;
  return undefined;
}

async function stepFor(script: FakeScript, request: FakeRequest): Promise<FakeStep> {
  if (typeof script === "function") return script(request);
  if (!("length" in script)) return script;
  const beyond = `the script of the fake provider has no step for request ${request.index + 1}`;
  return script[request.index] ?? { status: 400, body: { error: { message: beyond } } };
}

async function perform(
  request: FakeRequest,
  response: ServerResponse,
  wire: FakeWire,
  step: FakeStep,
): Promise<void> {
  if (step.neverHeaders === true) return;
  if (step.firstByteDelayMs !== undefined) await delay(step.firstByteDelayMs);
  if (step.resetBeforeFirstByte === true) {
    response.socket?.resetAndDestroy();
    return;
  }
  if (step.status !== undefined) {
    const message = `the fake provider answers ${step.status}`;
    const body = step.body ?? wire.errorBody(step.status, message);
    return sendJson(response, step.status, body, step.headers);
  }
  if (step.html200 === true) {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...step.headers });
    response.end("<!doctype html><title>Sign in</title><p>Please sign in to the network.");
    return;
  }
  const frames = step.emptyBody === true ? [] : wire.frames(step, modelOf(request), request.body);
  await sendAnswer(response, step, wire, frames);
}

/** Gemini names the model in the path, the others in the body. */
function modelOf(request: FakeRequest): string {
  const inPath = /\/models\/([^:?]+):/.exec(request.path)?.[1];
  const inBody = (request.body as { model?: unknown } | null)?.model;
  return inPath ?? (typeof inBody === "string" ? inBody : "unknown");
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString("utf8");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Nanoseconds as strings: they do not fit a JSON number. */
function stamps(requests: readonly FakeRequest[]): object[] {
  return requests.map(({ path, arrivedAt, lastByteAt }) => ({
    path,
    arrived_at: String(arrivedAt),
    last_byte_at: lastByteAt === undefined ? null : String(lastByteAt),
  }));
}
