import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { TransportFailed } from "./call-errors.ts";
import { proxyAuthorization } from "./proxy.ts";
import { socketFailure } from "./socket-failure.ts";

/**
 * A TLS connection to `target` through an HTTP proxy (CONNECT). Rejects with `TransportFailed`, or with
 * `signal.reason` when that fires first; nothing stays open then.
 */
export async function openTunnel(
  target: URL,
  proxy: URL,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const port = target.port === "" ? 443 : Number(target.port);
  const host = target.hostname.replace(/^\[|\]$/g, "");
  const socket = await connectThrough(proxy, `${target.hostname}:${port}`, signal);
  const { connect } = await import("node:tls");
  return new Promise<TLSSocket>((resolve, reject) => {
    const secure = connect({
      socket,
      ...(/^[\d.]+$|:/.test(host) ? { host } : { servername: host }),
      ...(ca === undefined ? {} : { ca: [...ca] }),
    });
    const abort = (): void => {
      secure.destroy();
      socket.destroy();
      reject(signal.reason as Error);
    };
    const fail = (error: unknown): void => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      reject(socketFailure(error, `${host}:${port}`, "while connecting"));
    };
    secure.once("error", fail);
    secure.once("close", () => fail({ code: "ECONNRESET" }));
    secure.once("secureConnect", () => {
      signal.removeEventListener("abort", abort);
      secure.removeAllListeners("close");
      secure.off("error", fail);
      resolve(secure);
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

async function connectThrough(proxy: URL, to: string, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const request = proxy.protocol === "https:" ? (await import("node:https")).request : httpRequest;
  const authorization = proxyAuthorization(proxy);
  const asked = request({
    host: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: proxy.port === "" ? (proxy.protocol === "https:" ? 443 : 80) : Number(proxy.port),
    method: "CONNECT",
    path: to,
    agent: false,
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
