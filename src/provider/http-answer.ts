import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { socketFailure } from "../net/socket-failure.ts";
import { LightHeaders } from "./light-headers.ts";

/** How long a finished answer may take to let go of its connection, so that the next step can have it. */
const LINGER_MS = 250;

/** The headers of an answer and its body to come. */
export class HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: LightHeaders;
  /** `host:port`, for messages. */
  readonly where: string;
  /** Decompressed bytes. Its errors are for `readFailure` to explain. */
  readonly body: Readable;
  readonly #message: IncomingMessage;
  readonly #letGo: () => void;

  /** An abort of `signal` closes the connection until `finish` or `destroy`. */
  static async open(message: IncomingMessage, where: string, signal: AbortSignal) {
    const encoding = message.headers["content-encoding"] ?? "identity";
    const body = encoding === "identity" ? message : await decompress(message, encoding);
    return new HttpAnswer(message, body, where, signal);
  }

  private constructor(
    message: IncomingMessage,
    body: Readable,
    where: string,
    signal: AbortSignal,
  ) {
    this.status = message.statusCode ?? 0;
    this.statusText = message.statusMessage ?? "";
    this.headers = new LightHeaders(
      Object.entries(message.headers).map(([name, value]) => [name, String(value)] as const),
    );
    this.where = where;
    this.body = body;
    this.#message = message;
    const abort = (): void => this.destroy();
    this.#letGo = () => signal.removeEventListener("abort", abort);
    body.on("error", () => {});
    message.once("close", this.#letGo);
    if (signal.aborted) this.destroy();
    else signal.addEventListener("abort", abort, { once: true });
  }

  /** The body was read as far as it matters: its connection is kept when the server ends the body at once, else closed. */
  finish(): void {
    this.#letGo();
    if (this.#message.complete && this.body === this.#message) {
      this.body.resume();
      return;
    }
    if (this.body !== this.#message) {
      this.destroy();
      return;
    }
    const timer = setTimeout(() => this.#message.destroy(), LINGER_MS);
    timer.unref();
    this.#message.socket.unref();
    this.#message.once("close", () => clearTimeout(timer));
    this.#message.resume();
  }

  /** Closes the connection. Harmless when it is closed. */
  destroy(): void {
    this.#letGo();
    this.#message.destroy();
    if (this.body !== this.#message) this.body.destroy();
  }

  readFailure(error: unknown): Error {
    return socketFailure(error, this.where, "in the middle of the answer");
  }

  /** The start of the body as text: at most `limit` bytes, and what came within `ms`. Closes the connection. */
  async text(limit: number, ms: number): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => this.destroy(), ms);
    try {
      for await (const chunk of this.body as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= limit) break;
      }
    } catch {
      // A body that breaks off is as good as a short one: the status has said what matters.
    } finally {
      clearTimeout(timer);
      this.destroy();
    }
    return Buffer.concat(chunks).subarray(0, limit).toString("utf8");
  }
}

/** For servers that compress although we ask for `identity`. Each chunk is passed on as soon as it is there. */
async function decompress(message: IncomingMessage, encoding: string): Promise<Readable> {
  const zlib = await import("node:zlib");
  const flush = { flush: zlib.constants.Z_SYNC_FLUSH };
  const make: Readonly<Record<string, () => ReturnType<typeof zlib.createGunzip>>> = {
    gzip: () => zlib.createGunzip(flush),
    "x-gzip": () => zlib.createGunzip(flush),
    deflate: () => zlib.createInflate(flush),
    br: () => zlib.createBrotliDecompress(),
  };
  const decoder = make[encoding]?.();
  if (decoder === undefined) return message;
  message.once("error", (error) => decoder.destroy(error));
  return message.pipe(decoder);
}
