import { Agent, request as httpRequest } from "node:http";
import type { ClientRequest, RequestOptions } from "node:http";
import { childScope } from "../shared/scope.ts";
import { trustedCertificates } from "./ca-certificates.ts";
import { inWords } from "./in-words.ts";
import { proxyFor } from "./proxy.ts";
import { TransportFailed } from "./transport-failed.ts";
import { basicAuthorization, bareHost, userOf } from "./url-parts.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** How one URL is reached. */
export interface Line {
  /** `host:port` of the machine that is connected to, for messages. */
  readonly where: string;
  /** The request itself is written to a proxy, so the answer may be the proxy's own. */
  readonly asksProxy: boolean;
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly options: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LineOptions {
  /** Name lookup, TCP, proxy and TLS together. */
  readonly connectMs: number;
  /** Keep connections for the next request; idle ones do not keep the process alive. */
  readonly keepAlive: boolean;
}

/**
 * Decides for each URL how it is reached: plain or TLS, directly or through the proxy of the environment. Whatever
 * only TLS needs is loaded with the first URL that needs it. A line rejects with `TransportFailed` or `signal.reason`.
 */
export function lineOpener(
  env: Env,
  { connectMs, keepAlive }: LineOptions,
): (url: URL, signal: AbortSignal) => Promise<Line> {
  const lasting = { keepAlive, maxFreeSockets: 2, autoSelectFamilyAttemptTimeout: 600 };
  const plainAgent = new Agent(lasting);
  let secureAgent: Agent | null = null;
  let trusted: Promise<string[] | undefined> | null = null;
  const certificates = (): Promise<string[] | undefined> => (trusted ??= trustedCertificates(env));

  /** A connection to the server of `url` itself: the target, or the proxy that is asked for it. */
  const connectionTo = async (url: URL): Promise<Pick<Line, "request" | "options">> => {
    const to = { host: bareHost(url), port: url.port };
    if (url.protocol === "http:")
      return { request: httpRequest, options: { ...to, agent: plainAgent } };
    const https = await import("node:https");
    const ca = await certificates();
    secureAgent ??= new https.Agent(lasting);
    const options = { ...to, agent: secureAgent, ...(ca === undefined ? {} : { ca }) };
    return { request: https.request, options };
  };

  const tunnelled = async (url: URL, proxy: URL, where: string, signal: AbortSignal) => {
    const { openTunnel } = await import("./tunnel.ts");
    using connecting = childScope(signal);
    const late = (): void => connecting.abort(connectTimeout(where, connectMs));
    const timer = setTimeout(late, connectMs);
    try {
      return await openTunnel(url, proxy, await certificates(), connecting.signal);
    } finally {
      clearTimeout(timer);
    }
  };

  return async (url, signal) => {
    const proxy = chooseProxy(url, env);
    const path = url.pathname + url.search;
    const user = userOf(url);
    const auth = user === null ? {} : { auth: user };
    if (proxy === null) {
      const { request, options } = await connectionTo(url);
      const direct = { ...options, ...auth, path };
      return { where: url.host, asksProxy: false, request, options: direct, headers: {} };
    }
    const where = `proxy ${proxy.host}`;
    if (url.protocol === "https:") {
      const socket = await tunnelled(url, proxy, where, signal);
      const inside = { host: bareHost(url), port: url.port, ...auth, path };
      const options = { ...inside, createConnection: () => socket };
      return { where, asksProxy: false, request: httpRequest, options, headers: {} };
    }
    const { request, options } = await connectionTo(proxy);
    const authorization = basicAuthorization(proxy);
    return {
      where,
      asksProxy: true,
      request,
      options: { ...options, ...auth, path: `${url.protocol}//${url.host}${path}` },
      headers: authorization === null ? {} : { "proxy-authorization": authorization },
    };
  };
}

export const connectTimeout = (where: string, connectMs: number): TransportFailed =>
  new TransportFailed(`no connection to ${where} within ${inWords(connectMs)}`);

function chooseProxy(url: URL, env: Env): URL | null {
  let proxy: URL | null = null;
  try {
    proxy = proxyFor(url, env);
  } catch {
    // Not passed on as the cause: it holds the whole text, and in that the password.
    throw unusableProxy("is not a URL");
  }
  if (proxy === null || /^https?:$/.test(proxy.protocol)) return proxy;
  throw unusableProxy(`has the scheme ${proxy.protocol} which is not supported`);
}

const unusableProxy = (why: string): TransportFailed =>
  new TransportFailed(`the proxy in the environment ${why}`, {
    retryable: false,
    remedy: "Set HTTPS_PROXY to http://host:port, or list the host in NO_PROXY",
  });
