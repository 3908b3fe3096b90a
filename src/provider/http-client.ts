import { Agent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { childScope } from "../shared/scope.ts";
import { TransportFailed } from "./call-errors.ts";
import { inWords } from "./http-bounds.ts";
import type { HttpBounds } from "./http-bounds.ts";
import { HttpAnswer } from "./http-answer.ts";
import { proxyAuthorization, proxyFor } from "./proxy.ts";
import { socketFailure } from "./socket-failure.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Sends POST requests over node:http(s): Node's fetch costs 40 to 90 ms and 30 MiB per run. */
export interface HttpClient {
  /**
   * Resolves with the headers of the answer, whatever its status. Rejects with `TransportFailed`, or with
   * `signal.reason` unchanged; until the answer's end, an abort closes the connection.
   */
  post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    signal: AbortSignal,
  ): Promise<HttpAnswer>;
}

/** Connections are kept for the next step of the same run; idle ones do not keep the process alive. */
export function httpClient(env: Env, bounds: HttpBounds): HttpClient {
  const openLine = lineOpener(env, bounds);
  return {
    async post(address, headers, body, signal) {
      signal.throwIfAborted();
      const url = parseUrl(address);
      const line = await openLine(url, signal);
      const options = {
        ...line.options,
        method: "POST",
        headers: {
          ...headers,
          ...line.headers,
          host: url.host,
          "accept-encoding": "identity",
          "content-length": String(Buffer.byteLength(body)),
        },
      };
      const send = (more: RequestOptions): Promise<HttpAnswer> =>
        exchange(line.request({ ...options, ...more }), line.where, body, bounds, signal);
      try {
        return await send({});
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        return await send({ agent: false });
      }
    },
  };
}

/** A kept connection that the server had closed in the meantime: it has not seen the request. */
class StaleConnection extends Error {}

interface Line {
  /** `host:port` of the machine that is connected to, for messages. */
  readonly where: string;
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly options: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
}

/** Decides for each URL how it is reached: plain or TLS, directly or through a proxy. */
function lineOpener(
  env: Env,
  bounds: HttpBounds,
): (url: URL, signal: AbortSignal) => Promise<Line> {
  const lasting = { keepAlive: true, maxFreeSockets: 2, autoSelectFamilyAttemptTimeout: 600 };
  const plain = new Agent(lasting);
  let secure: Agent | null = null;
  return async (url, signal) => {
    const proxy = chooseProxy(url, env);
    const direct = { host: unbracketed(url), port: url.port, path: url.pathname + url.search };
    const where = proxy === null ? url.host : `proxy ${proxy.host}`;
    if (url.protocol === "http:") {
      if (proxy === null)
        return { where, request: httpRequest, options: { ...direct, agent: plain }, headers: {} };
      const authorization = proxyAuthorization(proxy);
      return {
        where,
        request: httpRequest,
        options: { host: unbracketed(proxy), port: proxy.port, path: url.href, agent: plain },
        headers: authorization === null ? {} : { "proxy-authorization": authorization },
      };
    }
    const ca = await extraRoots(env);
    if (proxy !== null) {
      const { openTunnel } = await import("./tunnel.ts");
      using connecting = childScope(signal);
      const late = (): void => connecting.abort(connectTimeout(where, bounds));
      const timer = setTimeout(late, bounds.connectMs);
      const socket = await openTunnel(url, proxy, ca, connecting.signal).finally(() =>
        clearTimeout(timer),
      );
      return {
        where,
        request: httpRequest,
        options: { ...direct, createConnection: () => socket },
        headers: {},
      };
    }
    const https = await import("node:https");
    secure ??= new https.Agent({ ...lasting, ...(ca === undefined ? {} : { ca }) });
    return { where, request: https.request, options: { ...direct, agent: secure }, headers: {} };
  };
}

function exchange(
  request: ClientRequest,
  where: string,
  body: string,
  bounds: HttpBounds,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise<HttpAnswer>((resolve, reject) => {
    let connected = false;
    let timer = setTimeout(() => request.destroy(connectTimeout(where, bounds)), bounds.connectMs);
    const onConnected = (): void => {
      connected = true;
      clearTimeout(timer);
      timer = setTimeout(() => {
        const bound = inWords(bounds.firstByteMs);
        request.destroy(new TransportFailed(`no answer within ${bound} (${where})`));
      }, bounds.firstByteMs);
    };
    const abort = (): void => {
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
    request.once("response", (answer: IncomingMessage) => {
      settle();
      HttpAnswer.open(answer, where, signal).then(resolve, reject);
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
    request.end(body);
  });
}

function parseUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new TransportFailed(`${address} is not an http or https URL`, {
    retryable: false,
    remedy: "Correct base_url of the provider",
  });
}

function chooseProxy(url: URL, env: Env): URL | null {
  let proxy: URL | null = null;
  try {
    proxy = proxyFor(url, env);
  } catch (cause) {
    throw unusableProxy("is not a URL", cause);
  }
  if (proxy === null || /^https?:$/.test(proxy.protocol)) return proxy;
  throw unusableProxy(`has the scheme ${proxy.protocol} which is not supported`, null);
}

const unusableProxy = (why: string, cause: unknown): TransportFailed =>
  new TransportFailed(`the proxy in the environment ${why}`, {
    retryable: false,
    remedy: "Set HTTPS_PROXY to http://host:port, or list the host in NO_PROXY",
    cause,
  });

/** `SSL_CERT_FILE` on top of Node's own roots; Node itself knows `NODE_EXTRA_CA_CERTS`, but not beside `ca`. */
async function extraRoots(env: Env): Promise<string[] | undefined> {
  const file = env["SSL_CERT_FILE"] ?? "";
  if (file === "") return undefined;
  const { readFile } = await import("node:fs/promises");
  const { rootCertificates } = await import("node:tls");
  const named = [file, env["NODE_EXTRA_CA_CERTS"] ?? ""].filter((name) => name !== "");
  const read = named.map((name) =>
    readFile(name, "utf8").catch((cause: unknown) => {
      throw new TransportFailed(`the CA certificates in ${name} cannot be read`, {
        retryable: false,
        remedy: "Correct SSL_CERT_FILE or unset it",
        cause,
      });
    }),
  );
  return [...rootCertificates, ...(await Promise.all(read))];
}

const connectTimeout = (where: string, bounds: HttpBounds): TransportFailed =>
  new TransportFailed(`no connection to ${where} within ${inWords(bounds.connectMs)}`);

const unbracketed = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");
