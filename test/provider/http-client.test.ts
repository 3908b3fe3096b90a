import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, request as httpRequest } from "node:http";
import type { Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { httpClient } from "../../src/provider/http-client.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/certificate.ts";
import {
  SSE,
  chatFinish,
  chatText,
  collect,
  failureOf,
  framed,
  loopback,
  open,
} from "./loopback.ts";

const BOUNDS = { connectMs: 2000, firstByteMs: 2000 };
const never = new AbortController().signal;
const closing: Server[] = [];
const directory = mkdtempSync(join(tmpdir(), "http-client-"));
afterAll(() => {
  for (const server of closing) server.close().closeAllConnections();
  rmSync(directory, { recursive: true });
});

async function portOf(server: Server): Promise<number> {
  closing.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const post = async (url: string, env: Record<string, string> = {}): Promise<string> => {
  const answer = await httpClient(env, BOUNDS).post(url, {}, "{}", never);
  return `${answer.status} ${await answer.text(1000, 1000)}`;
};

test("a finished answer leaves its connection to the next step", async () => {
  const ports = new Set<number | undefined>();
  await using server = await loopback((response) => {
    ports.add(response.socket?.remotePort);
    response.writeHead(200, SSE);
    response.end(framed([chatText("Hi"), chatFinish("stop"), "[DONE]"]));
  });
  const model = await open("openai-compat", server.url);
  for (let step = 0; step < 3; step += 1) {
    await collect(model);
    await delay(20);
  }
  expect(server.asked).toHaveLength(3);
  expect(ports.size).toBe(1);
});

test("a kept connection that the server has closed is replaced without a failed call", async () => {
  const sockets: Socket[] = [];
  await using server = await loopback((response, _asked, n) => {
    if (n === 2) {
      response.socket?.resetAndDestroy();
      return;
    }
    if (response.socket !== null) sockets.push(response.socket);
    response.end("ok");
  });
  const client = httpClient({}, BOUNDS);
  for (let n = 0; n < 2; n += 1) {
    const answer = await client.post(server.url, {}, "{}", never);
    answer.body.resume();
    await once(answer.body, "end");
    await delay(20);
  }
  // The second request met the reset on the kept connection, the third was the same on a new one.
  expect(server.asked).toHaveLength(3);
  expect(new Set(sockets).size).toBe(2);
});

test.each([
  ["gzip", createGzip],
  ["deflate", createDeflate],
  ["br", createBrotliCompress],
])("an answer compressed with %s against our wish is read as it comes", async (encoding, make) => {
  await using server = await loopback((response) => {
    response.writeHead(200, { ...SSE, "content-encoding": encoding });
    const packed = make();
    packed.pipe(response);
    packed.write(framed([chatText("Grüße "), chatText("世界 🌍")]));
    packed.end(framed([chatFinish("stop"), "[DONE]"]));
  });
  const parts = await collect(await open("openai-compat", server.url));
  expect(parts[0]).toEqual({ type: "text", text: "Grüße 世界 🌍" });
});

test("a truncated compressed answer is a broken stream", async () => {
  await using server = await loopback((response) => {
    response.writeHead(200, { ...SSE, "content-encoding": "gzip" });
    const packed = createGzip();
    packed.on("data", (bytes: Buffer) => response.end(bytes.subarray(0, bytes.length >> 1)));
    packed.end(framed([chatText("Hi"), chatFinish("stop"), "[DONE]"]));
  });
  const failed = await failureOf(open("openai-compat", server.url).then((m) => collect(m)));
  expect(failed).toMatchObject({ retryable: true, failure: { reason: "provider_unavailable" } });
});

/** A proxy that writes down what it was asked, then does it. */
async function proxy(): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createHttpServer((incoming, response) => {
    seen.push(
      `${incoming.method} ${incoming.url} ${incoming.headers["proxy-authorization"] ?? "-"}`,
    );
    const onward = httpRequest(incoming.url ?? "", { method: "POST" }, (answer) => {
      response.writeHead(answer.statusCode ?? 0);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, socket: Socket) => {
    seen.push(`CONNECT ${incoming.url} ${incoming.headers["proxy-authorization"] ?? "-"}`);
    if (incoming.headers["proxy-authorization"] === undefined) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const onward = connect(Number(incoming.url?.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  const port = await portOf(server);
  return { url: `127.0.0.1:${port}`, seen };
}

test("an http target goes through the proxy by its whole address, unless NO_PROXY names it", async () => {
  await using server = await loopback((response) => response.end("hello"));
  const { url, seen } = await proxy();
  const env = { HTTP_PROXY: `http://me:word@${url}` };
  expect(await post(`${server.url}/v1/x?y`, env)).toBe("200 hello");
  const authorization = `Basic ${Buffer.from("me:word").toString("base64")}`;
  expect(seen).toEqual([`POST ${server.url}/v1/x?y ${authorization}`]);
  expect(await post(server.url, { ...env, NO_PROXY: "127.0.0.1" })).toBe("200 hello");
  expect(seen).toHaveLength(1);
});

async function secureServer(): Promise<string> {
  const server = createHttpsServer(
    { cert: CERTIFICATE, key: PRIVATE_KEY },
    (incoming, response) => {
      incoming.resume();
      response.end(`secure ${incoming.headers.host}`);
    },
  );
  return `localhost:${await portOf(server)}`;
}

function trusting(): Record<string, string> {
  const file = join(directory, "ca.pem");
  writeFileSync(file, CERTIFICATE);
  return { SSL_CERT_FILE: file };
}

test("an https target goes through a tunnel, with the password of the proxy's URL", async () => {
  const host = await secureServer();
  const { url, seen } = await proxy();
  const env = { ...trusting(), HTTPS_PROXY: `http://me:word@${url}` };
  expect(await post(`https://${host}/x`, env)).toBe(`200 secure ${host}`);
  expect(seen).toEqual([`CONNECT ${host} Basic ${Buffer.from("me:word").toString("base64")}`]);
});

test("a proxy that refuses the tunnel is named, with the remedy", async () => {
  const { url } = await proxy();
  const failed = await failureOf(post("https://localhost:1/x", { HTTPS_PROXY: `http://${url}` }));
  expect(failed).toMatchObject({
    message: `the proxy ${url} answered 407 to CONNECT`,
    retryable: false,
    remedy: "Check HTTPS_PROXY and NO_PROXY",
  });
});

test("a proxy that never answers is given up after the connect bound", async () => {
  const server = createHttpServer();
  server.on("connect", () => {});
  const port = await portOf(server);
  const client = httpClient(
    { HTTPS_PROXY: `http://127.0.0.1:${port}` },
    { connectMs: 50, firstByteMs: 5000 },
  );
  const failed = await failureOf(client.post("https://localhost:1/x", {}, "{}", never));
  expect(failed).toMatchObject({
    message: `no connection to proxy 127.0.0.1:${port} within 50 ms`,
  });
});

test.each(["socks5://127.0.0.1:1", "http://[bad"])(
  "the proxy %s is a mistake, named",
  async (proxied) => {
    const failed = await failureOf(post("http://localhost:1/", { HTTP_PROXY: proxied }));
    expect(failed).toMatchObject({
      retryable: false,
      message: expect.stringContaining("the proxy in the environment"),
    });
  },
);

test("a certificate of one's own is refused, until its file is named", async () => {
  const host = await secureServer();
  const failed = await failureOf(post(`https://${host}/`));
  expect(failed).toMatchObject({
    retryable: false,
    message: expect.stringContaining(`the certificate of ${host} was not accepted`),
    remedy: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
  });
  expect(await post(`https://${host}/`, trusting())).toBe(`200 secure ${host}`);
  const missing = join(directory, "missing.pem");
  expect(await failureOf(post(`https://${host}/`, { SSL_CERT_FILE: missing }))).toMatchObject({
    message: `the CA certificates in ${missing} cannot be read`,
  });
});
