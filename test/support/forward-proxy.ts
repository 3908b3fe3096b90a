import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { CERTIFICATE, PRIVATE_KEY } from "./certificate.ts";

/** An HTTP proxy on loopback that writes down what it was asked, then does it; gone with its scope. */
export interface ForwardProxy extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** `METHOD target authorization`, with `-` for none. */
  readonly seen: readonly string[];
  /** Connections that clients hold with it. */
  open(): number;
}

interface ForwardProxyOptions {
  /** `user:password`; whoever comes without it is answered 407. */
  readonly user?: string;
  /** Answers everything with this status and does nothing. */
  readonly refuses?: number;
  /** Is spoken to over TLS, with `CERTIFICATE`. */
  readonly secure?: boolean;
}

/** Every host name leads to loopback: the port of the target is what counts. */
export async function forwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const seen: string[] = [];
  const { user, refuses, secure = false } = options;
  const wanted = user === undefined ? null : `Basic ${Buffer.from(user).toString("base64")}`;
  /** The status it refuses with, or null. */
  const judge = (method: string, target: string, authorization: string | undefined) => {
    seen.push(`${method} ${target} ${authorization ?? "-"}`);
    return refuses ?? (wanted === null || wanted === authorization ? null : 407);
  };
  const forward: RequestListener = (incoming, response) => {
    const { method = "", url = "", headers } = incoming;
    const refused = judge(method, url, headers["proxy-authorization"]);
    if (refused !== null) {
      response.writeHead(refused).end("the proxy says no");
      return;
    }
    const { port, pathname, search } = new URL(url);
    const { "proxy-authorization": _, ...passed } = headers;
    const to = { host: "127.0.0.1", port, path: pathname + search, method, headers: passed };
    const onward = httpRequest({ ...to, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  };
  const server = secure
    ? createHttpsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, forward)
    : createServer(forward);
  const tunnels = new Set<Socket>();
  server.on("connect", (incoming, socket: Socket) => {
    const target = incoming.url ?? "";
    const refused = judge("CONNECT", target, incoming.headers["proxy-authorization"]);
    if (refused !== null) {
      socket.end(`HTTP/1.1 ${refused} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const onward = connect(Number(target.split(":").at(-1)), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    tunnels.add(onward);
    onward.on("error", () => socket.destroy());
    onward.on("close", () => {
      tunnels.delete(onward);
      socket.destroy();
    });
    socket.on("error", () => onward.destroy());
    for (const gone of ["end", "close"]) socket.on(gone, () => onward.destroy());
  });
  const clients = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    clients.add(socket);
    socket.on("close", () => clients.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    open: () => clients.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of [...clients, ...tunnels]) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
