import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import { expect, test } from "vitest";
import { httpClient } from "../../src/provider/http-client.ts";
import { forwardProxy } from "../support/forward-proxy.ts";
import { secureServer } from "../support/secure-server.ts";
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

test("a model is called through the proxy and with the CA file of the environment", async () => {
  const answer = framed([chatText("Hi"), chatFinish("stop"), "[DONE]"]);
  await using server = await secureServer((incoming, response) => {
    incoming.resume();
    response.writeHead(200, SSE).end(answer);
  });
  await using proxy = await forwardProxy({ user: "me:word" });
  const env = { SSL_CERT_FILE: server.caFile, HTTPS_PROXY: `http://me:word@${proxy.host}` };
  const model = await open("openai-compat", `https://${server.host}/v1`, {}, env);
  expect((await collect(model))[0]).toEqual({ type: "text", text: "Hi" });
  const authorization = `Basic ${Buffer.from("me:word").toString("base64")}`;
  expect(proxy.seen).toEqual([`CONNECT ${server.host} ${authorization}`]);
});

test("a proxy that refuses, and a port that does not speak TLS, end the call with a remedy", async () => {
  await using server = await loopback((response) => response.end("hello"));
  await using proxy = await forwardProxy({ refuses: 403 });
  const env = { HTTPS_PROXY: `http://${proxy.host}` };
  const refused = await failureOf(
    open("openai-compat", "https://models.test/v1", {}, env).then((m) => collect(m)),
  );
  expect(refused).toMatchObject({
    retryable: false,
    failure: {
      reason: "provider_error",
      message: `acme: the proxy ${proxy.host} answered 403 to CONNECT`,
      remedy: "Check HTTPS_PROXY and NO_PROXY",
    },
  });
  const mistaken = await failureOf(
    open("openai-compat", server.url.replace("http:", "https:")).then((m) => collect(m)),
  );
  expect(mistaken).toMatchObject({
    retryable: false,
    failure: { remedy: "Check base_url: http or https, host and port" },
  });
});
