import { validateHeaderName, validateHeaderValue } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { inWords } from "./in-words.ts";
import { connectTimeout, lineOpener } from "./line.ts";
import type { Line, LineOptions } from "./line.ts";
import { socketFailure } from "./socket-failure.ts";
import { TransportFailed } from "./transport-failed.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface OutgoingRequest {
  readonly method: "GET" | "POST";
  /** http or https. Its user and password are sent unless the headers hold an authorization. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** From the connection to the headers of the answer; null leaves the bound to the caller's signal. */
  readonly firstByteMs: number | null;
}

export interface OutgoingAnswer {
  /** Its late errors are no longer unhandled; whoever reads the body closes it. */
  readonly message: IncomingMessage;
  /** `host:port` of the machine that was connected to, for messages. */
  readonly where: string;
}

/** Requests over node:http(s), directly or through the proxy of the environment. */
export interface Outgoing {
  /**
   * Resolves with the headers of the answer, whatever its status. Rejects with `TransportFailed`, or with
   * `signal.reason` unchanged; nothing stays open then. After that the signal means nothing to it.
   */
  send(asked: OutgoingRequest, signal: AbortSignal): Promise<OutgoingAnswer>;
}

export function outgoing(env: Env, options: LineOptions): Outgoing {
  const openLine = lineOpener(env, options);
  return {
    async send(asked, signal) {
      signal.throwIfAborted();
      checkHeaders(asked.headers);
      const line = await openLine(asked.url, signal);
      const { connectMs } = options;
      try {
        return await exchange(start(line, asked, {}), { line, asked, connectMs }, signal);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        const afresh = start(line, asked, { agent: false });
        return await exchange(afresh, { line, asked, connectMs }, signal);
      }
    },
  };
}

/** A kept connection that the server had closed in the meantime: it has not seen the request. */
class StaleConnection extends Error {}

/** Before anything is opened: Node would throw when the request is made. Its words name the header, not the value. */
function checkHeaders(headers: OutgoingRequest["headers"]): void {
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
  } catch (error) {
    throw new TransportFailed(`not sent: ${error instanceof Error ? error.message : "?"}`, {
      retryable: false,
      remedy: "Take line breaks and control characters out of the key and the extra headers",
    });
  }
}

function start(line: Line, asked: OutgoingRequest, more: RequestOptions): ClientRequest {
  const { method, url, headers, body } = asked;
  const length = body === null ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const options = { ...line.options, ...more, method };
  return line.request({
    ...options,
    headers: { ...headers, ...line.headers, host: url.host, ...length },
  });
}

interface Exchange {
  readonly line: Line;
  readonly asked: OutgoingRequest;
  readonly connectMs: number;
}

function exchange(
  request: ClientRequest,
  { line, asked, connectMs }: Exchange,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  const { where } = line;
  const { body, firstByteMs } = asked;
  return new Promise<OutgoingAnswer>((resolve, reject) => {
    let connected = false;
    let timer = setTimeout(() => request.destroy(connectTimeout(where, connectMs)), connectMs);
    const onConnected = (): void => {
      connected = true;
      clearTimeout(timer);
      if (firstByteMs === null) return;
      timer = setTimeout(() => {
        request.destroy(new TransportFailed(`no answer within ${inWords(firstByteMs)} (${where})`));
      }, firstByteMs);
    };
    const abort = (): void => {
      clearTimeout(timer);
      request.destroy();
      reject(signal.reason as Error);
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
    request.once("socket", (socket) => {
      const pending = socket as typeof socket & { secureConnecting?: boolean };
      if (!pending.connecting && pending.secureConnecting !== true) onConnected();
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", onConnected);
    });
    request.once("response", (message: IncomingMessage) => {
      settle();
      // Whoever reads the body listens too; this keeps a late error of a closed connection from being unhandled.
      message.on("error", () => {});
      if (!line.asksProxy || message.statusCode !== 407) {
        resolve({ message, where });
        return;
      }
      message.destroy();
      reject(
        new TransportFailed(`the ${where} answered 407: it wants a user and a password`, {
          retryable: false,
          remedy: "Write them into HTTP_PROXY: http://user:password@host:port",
        }),
      );
    });
    // Stays on: a destroyed request may report more than once.
    request.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      const stale = request.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(error.code ?? "");
      const moment = connected ? "before the answer" : "while connecting";
      reject(stale ? new StaleConnection() : socketFailure(error, where, moment));
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    request.end(body ?? undefined);
  });
}
