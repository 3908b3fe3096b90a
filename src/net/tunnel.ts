import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { socketFailure } from "./socket-failure.ts";
import { TransportFailed } from "./transport-failed.ts";
import { bareHost, basicAuthorization } from "./url-parts.ts";

/**
 * A TLS connection to `target` through an HTTP proxy (CONNECT). `ca` replaces Node's own roots. Rejects with
 * `TransportFailed`, or with `signal.reason` when that fires first; nothing stays open then.
 */
export async function openTunnel(
  target: URL,
  proxy: URL,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const host = bareHost(target);
  const to = `${target.hostname}:${target.port === "" ? 443 : target.port}`;
  const { connect } = await import("node:tls");
  const trust = ca === undefined ? {} : { ca: [...ca] };
  const socket = await connectThrough(proxy, to, trust, signal);
  return new Promise<TLSSocket>((resolve, reject) => {
    const secure = connect({
      socket,
      ...(/^[\d.]+$|:/.test(host) ? { host } : { servername: host }),
      ...trust,
    });
    const settle = (): void => {
      signal.removeEventListener("abort", abort);
      secure.off("close", closed);
    };
    const abort = (): void => {
      settle();
      secure.destroy();
      socket.destroy();
      reject(signal.reason as Error);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(socketFailure(error, to, "while connecting"));
    };
    const closed = (): void => fail({ code: "ECONNRESET" });
    secure.on("error", fail); // stays on: whoever writes the request listens too, but a moment later
    secure.once("close", closed);
    secure.once("secureConnect", () => {
      settle();
      resolve(secure);
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

async function connectThrough(
  proxy: URL,
  to: string,
  trust: { readonly ca?: string[] },
  signal: AbortSignal,
): Promise<Socket> {
  const request = proxy.protocol === "https:" ? (await import("node:https")).request : httpRequest;
  signal.throwIfAborted();
  const authorization = basicAuthorization(proxy);
  const asked = request({
    host: bareHost(proxy),
    port: proxy.port === "" ? (proxy.protocol === "https:" ? 443 : 80) : Number(proxy.port),
    method: "CONNECT",
    path: to,
    agent: false,
    ...trust,
    headers: {
      host: to,
      ...(authorization === null ? {} : { "proxy-authorization": authorization }),
    },
  });
  return new Promise<Socket>((resolve, reject) => {
    const abort = (): void => {
      asked.destroy();
      reject(signal.reason as Error);
    };
    const refuse = (status: number | undefined): void => {
      signal.removeEventListener("abort", abort);
      asked.destroy();
      reject(
        new TransportFailed(`the proxy ${proxy.host} answered ${status ?? "nothing"} to CONNECT`, {
          retryable: status !== undefined && status >= 500,
          remedy: "Check HTTPS_PROXY and NO_PROXY",
        }),
      );
    };
    asked.once("connect", (answer, socket: Socket) => {
      socket.on("error", () => {}); // the TLS connection on top of it reports the same
      if (answer.statusCode !== 200) {
        socket.destroy();
        refuse(answer.statusCode);
        return;
      }
      signal.removeEventListener("abort", abort);
      resolve(socket);
    });
    // A proxy that answers CONNECT with an ordinary answer (a login page).
    asked.once("response", (answer) => refuse(answer.statusCode));
    asked.on("error", (error) => {
      signal.removeEventListener("abort", abort);
      reject(socketFailure(error, `proxy ${proxy.host}`, "while connecting"));
    });
    signal.addEventListener("abort", abort, { once: true });
    asked.end();
  });
}
