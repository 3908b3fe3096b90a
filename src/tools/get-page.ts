import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { httpGet } from "../net/http-get.ts";
import { outgoing, type Outgoing } from "../net/outgoing.ts";
import { TransportFailed } from "../net/transport-failed.ts";
import type { ToolResult } from "./tool.ts";

type Env = Readonly<Record<string, string | undefined>>;

const MAX_REDIRECTS = 5;
const CONNECT_MS = 10_000;

const HEADERS = {
  "user-agent": "crush-run",
  accept: "text/markdown, text/html;q=0.9, text/plain;q=0.9, */*;q=0.5",
  "accept-encoding": "gzip, deflate, br",
} as const;

export interface Page {
  /** Where the redirects led. */
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  /** Lower case, with its parameters; may be empty. */
  readonly contentType: string;
  readonly bytes: Buffer;
  /** The page was longer than the limit. */
  readonly cut: boolean;
}

export interface PageRequest {
  readonly env: Env;
  readonly maxBytes: number;
  /** Null for an address that may be asked. */
  readonly permit: (url: URL) => Promise<ToolResult | null>;
  readonly signal: AbortSignal;
}

/** Why there is no page, as a sentence for the model. */
export class NoPage extends Error {}

/** The rules do not allow an address, be it where a redirect leads to. */
export class Refused extends Error {
  readonly result: ToolResult;
  constructor(result: ToolResult) {
    super(result.content);
    this.result = result;
  }
}

/**
 * GET with redirects followed, each of them asked about first and through the proxy that `env` names for it, if any. Rejects with
 * `NoPage`, `Refused` or `signal.reason`; the connection is closed in every case.
 */
export async function getPage(
  address: URL,
  { env, maxBytes, permit, signal }: PageRequest,
): Promise<Page> {
  const out = outgoing(env, { connectMs: CONNECT_MS, keepAlive: false });
  let url = address;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const refused = await permit(url);
    if (refused !== null) throw new Refused(refused);
    const answer = await ask(out, url, signal);
    try {
      const location = answer.headers.location;
      const status = answer.statusCode ?? 0;
      if (status < 300 || status > 399 || location === undefined)
        return {
          url: url.href,
          status,
          statusText: answer.statusMessage ?? "",
          contentType: (answer.headers["content-type"] ?? "").toLowerCase(),
          ...(await bodyOf(answer, maxBytes, signal)),
        };
      url = httpUrl(location, url);
    } finally {
      answer.destroy();
    }
  }
  throw new NoPage(`more than ${MAX_REDIRECTS} redirects`);
}

/** Throws `NoPage` for what is not an http or https address. */
export function httpUrl(written: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(written, base);
  } catch {
    throw new NoPage(`${written} is not a URL`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new NoPage(`${url.protocol} is not fetched, only http: and https:`);
  return url;
}

async function ask(out: Outgoing, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  try {
    return await httpGet(out, url, HEADERS, signal);
  } catch (error) {
    if (!(error instanceof TransportFailed)) throw error;
    const { message, remedy } = error;
    throw new NoPage(remedy === null ? message : `${message}. ${remedy}`, { cause: error });
  }
}

async function bodyOf(
  answer: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; cut: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Counted after decompression: a small answer may unfold to any size.
    for await (const chunk of (await decompressed(answer)) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new NoPage(`the answer broke off: ${error instanceof Error ? error.message : "?"}`);
  }
  signal.throwIfAborted();
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), cut: size > maxBytes };
}

async function decompressed(answer: IncomingMessage): Promise<Readable> {
  const encoding = (answer.headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity" || encoding === "") return answer;
  const { createBrotliDecompress, createUnzip } = await import("node:zlib");
  const { pipeline } = await import("node:stream");
  if (!["gzip", "x-gzip", "deflate", "br"].includes(encoding))
    throw new Error(`unknown content-encoding ${encoding}`);
  const unfold = encoding === "br" ? createBrotliDecompress() : createUnzip();
  return pipeline(answer, unfold, () => {}); // the reader sees the error
}
