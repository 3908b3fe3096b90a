import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { httpGet } from "../../src/net/http-get.ts";
import { outgoing } from "../../src/net/outgoing.ts";
import { forwardProxy } from "../support/forward-proxy.ts";
import { secureServer } from "../support/secure-server.ts";

type Env = Record<string, string>;

const ONCE = { connectMs: 2000, keepAlive: false };
const never = new AbortController().signal;
const basic = (user: string): string => `Basic ${Buffer.from(user).toString("base64")}`;

/** `status body` of a GET. */
async function get(url: string, env: Env = {}, options = ONCE): Promise<string> {
  const answer = await httpGet(outgoing(env, options), new URL(url), {}, never);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return `${answer.statusCode} ${Buffer.concat(chunks).toString()}`;
}

async function failureOf(calling: Promise<unknown>): Promise<unknown> {
  try {
    await calling;
  } catch (error) {
    return error;
  }
  throw new Error("the request did not fail");
}

/** An http server on loopback: its `127.0.0.1:port`. */
async function plainServer(answer: RequestListener) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const echo: RequestListener = ({ url, headers }, response) => {
  response.end(`${headers.host} ${url} ${headers.authorization ?? "-"}`);
};
const secure: RequestListener = ({ headers }, response) => {
  response.end(`secure ${headers.host}`);
};

test("an http target is asked of the proxy by its whole address, unless NO_PROXY names it", async () => {
  await using server = await plainServer(echo);
  await using proxy = await forwardProxy({ user: "me:word" });
  const env = { HTTP_PROXY: `http://me:word@${proxy.host}` };
  const { host } = server;
  expect(await get(`http://${host}/v1/x?y`, env)).toBe(`200 ${host} /v1/x?y -`);
  expect(proxy.seen).toEqual([`GET http://${host}/v1/x?y ${basic("me:word")}`]);
  expect(await get(`http://${host}/`, { ...env, NO_PROXY: "127.0.0.1" })).toBe(`200 ${host} / -`);
  expect(proxy.seen).toHaveLength(1);
});

test("user and password of a URL become a header, and neither they nor the fragment its address", async () => {
  await using server = await plainServer(echo);
  await using proxy = await forwardProxy();
  const { host } = server;
  const url = `http://ann:s%20t@${host}/x#part`;
  const said = `200 ${host} /x ${basic("ann:s t")}`;
  expect(await get(url)).toBe(said);
  expect(await get(url, { HTTP_PROXY: proxy.host })).toBe(said);
  expect(proxy.seen).toEqual([`GET http://${host}/x -`]);
});

test("an https target goes through a tunnel, with the password of the proxy's URL", async () => {
  await using server = await secureServer(secure);
  await using proxy = await forwardProxy({ user: "me:word" });
  const { host, caFile } = server;
  const env = { SSL_CERT_FILE: caFile, HTTPS_PROXY: `http://me:word@${proxy.host}` };
  expect(await get(`https://${host}/x`, env)).toBe(`200 secure ${host}`);
  expect(proxy.seen).toEqual([`CONNECT ${host} ${basic("me:word")}`]);
  await expect.poll(proxy.open).toBe(0);
});

test("a proxy that is itself spoken to over TLS serves both kinds of target", async () => {
  await using server = await secureServer(secure);
  await using plain = await plainServer(echo);
  await using proxy = await forwardProxy({ secure: true });
  const env = { SSL_CERT_FILE: server.caFile, ALL_PROXY: `https://${proxy.host}` };
  expect(await get(`https://${server.host}/x`, env)).toBe(`200 secure ${server.host}`);
  expect(await get(`http://${plain.host}/x`, env)).toBe(`200 ${plain.host} /x -`);
  expect(proxy.seen).toEqual([`CONNECT ${server.host} -`, `GET http://${plain.host}/x -`]);
});

test("a proxy that refuses is named, with the remedy", async () => {
  await using proxy = await forwardProxy({ user: "me:word" });
  const env = { ALL_PROXY: `http://me:wrong@${proxy.host}` };
  expect(await failureOf(get("https://site.test/x", env))).toMatchObject({
    message: `the proxy ${proxy.host} answered 407 to CONNECT`,
    retryable: false,
    remedy: "Check HTTPS_PROXY and NO_PROXY",
  });
  expect(await failureOf(get("http://site.test/x", env))).toMatchObject({
    message: `the proxy ${proxy.host} answered 407: it wants a user and a password`,
    retryable: false,
    remedy: expect.stringContaining("HTTP_PROXY") as string,
  });
  await using busy = await forwardProxy({ refuses: 503 });
  const failed = await failureOf(get("https://site.test/x", { HTTPS_PROXY: busy.host }));
  expect(failed).toMatchObject({ retryable: true });
});

test("a proxy that never answers is given up after the connect bound, or at an abort", async () => {
  const silent = createTcpServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const env = { HTTPS_PROXY: `http://${host}` };
  const url = new URL("https://site.test/x");
  expect(await failureOf(get(url.href, env, { ...ONCE, connectMs: 50 }))).toMatchObject({
    message: `no connection to proxy ${host} within 50 ms`,
  });
  const stop = new AbortController();
  const reason = new Error("stop");
  const asking = failureOf(httpGet(outgoing(env, ONCE), url, {}, stop.signal));
  const [socket] = (await once(silent, "connection")) as [NodeJS.Socket];
  stop.abort(reason);
  expect(await asking).toBe(reason);
  await once(socket.resume(), "close");
  silent.close();
});

test("a server that stays silent behind the tunnel is given up in the same way, and let go of", async () => {
  const silent = createTcpServer((socket) => void socket.resume()).listen(0, "127.0.0.1");
  await once(silent, "listening");
  await using proxy = await forwardProxy();
  const env = { HTTPS_PROXY: proxy.host };
  const url = new URL(`https://site.test:${(silent.address() as AddressInfo).port}/`);
  expect(await failureOf(get(url.href, env, { ...ONCE, connectMs: 50 }))).toMatchObject({
    message: `no connection to proxy ${proxy.host} within 50 ms`,
  });
  await expect.poll(proxy.open).toBe(0);
  const stop = new AbortController();
  const reason = new Error("stop");
  const asking = failureOf(httpGet(outgoing(env, ONCE), url, {}, stop.signal));
  await once(silent, "connection");
  await expect.poll(proxy.open).toBe(1);
  stop.abort(reason);
  expect(await asking).toBe(reason);
  await expect.poll(proxy.open).toBe(0);
  silent.close();
});

test("a proxy that is not there is named", async () => {
  const { host } = await (async () => {
    await using gone = await forwardProxy();
    return gone;
  })();
  for (const url of ["http://site.test/", "https://site.test/"])
    expect(await failureOf(get(url, { ALL_PROXY: host }))).toMatchObject({
      message: `connection refused while connecting (proxy ${host}, ECONNREFUSED)`,
      retryable: true,
    });
});

test.each(["socks5://me:word@127.0.0.1:1", "http://me:word@[bad"])(
  "the proxy %s is a mistake, told without its password",
  async (proxy) => {
    const failed = await failureOf(get("http://localhost:1/", { HTTP_PROXY: proxy }));
    expect(failed).toMatchObject({
      retryable: false,
      message: expect.stringMatching(/^the proxy in the environment (?!.*word)/) as string,
      cause: undefined,
    });
  },
);

test("a certificate of one's own is refused, until its file is named", async () => {
  await using server = await secureServer(secure);
  await using proxy = await forwardProxy();
  const url = `https://${server.host}/`;
  for (const env of [{}, { HTTPS_PROXY: proxy.host }])
    expect(await failureOf(get(url, env as Env))).toMatchObject({
      retryable: false,
      message: expect.stringContaining(
        `the certificate of ${server.host} was not accepted`,
      ) as string,
      remedy: expect.stringContaining("NODE_EXTRA_CA_CERTS") as string,
    });
  const both = { SSL_CERT_FILE: server.caFile, NODE_EXTRA_CA_CERTS: server.caFile };
  expect(await get(url, both)).toBe(`200 secure ${server.host}`);
  const missing = join(server.caFile, "missing.pem");
  expect(await failureOf(get(url, { ...both, NODE_EXTRA_CA_CERTS: missing }))).toMatchObject({
    message: `the CA certificates in ${missing} cannot be read`,
    remedy: "Correct NODE_EXTRA_CA_CERTS or unset it",
  });
});

test("a kept connection that the server has closed is replaced, with the same CA file", async () => {
  let asked = 0;
  await using server = await secureServer((request, response) => {
    asked += 1;
    if (asked === 2) request.socket.destroy();
    else response.end("ok");
  });
  const out = outgoing({ SSL_CERT_FILE: server.caFile }, { ...ONCE, keepAlive: true });
  for (let n = 0; n < 2; n += 1) {
    const answer = await httpGet(out, new URL(`https://${server.host}/`), {}, never);
    await once(answer.resume(), "end");
    await delay(20); // until the agent has it back
  }
  expect(asked).toBe(3);
});

test("an abort breaks the body off with its reason and closes the connection", async () => {
  await using server = await plainServer((_, response) => void response.write("half"));
  await using proxy = await forwardProxy();
  const stop = new AbortController();
  const reason = new Error("stop");
  const out = outgoing({ HTTP_PROXY: proxy.host }, ONCE);
  const answer = await httpGet(out, new URL(`http://${server.host}/`), {}, stop.signal);
  const reading = failureOf(once(answer.resume(), "end"));
  stop.abort(reason);
  expect(await reading).toBe(reason);
  await expect.poll(proxy.open).toBe(0);
});

test("a header that cannot be sent is named without its value, and nothing is opened", async () => {
  await using proxy = await forwardProxy();
  const out = outgoing({ ALL_PROXY: proxy.host }, ONCE);
  const url = new URL("https://site.test/");
  const failed = await failureOf(httpGet(out, url, { authorization: "Bearer sk-1\n" }, never));
  expect(failed).toMatchObject({
    message: 'not sent: Invalid character in header content ["authorization"]',
    retryable: false,
  });
  expect(proxy.seen).toEqual([]);
});
