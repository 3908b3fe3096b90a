import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { ModelCallFailed } from "../../src/provider/language-model.ts";
import {
  HI,
  SSE,
  chatFinish,
  chatText,
  collect,
  failureOf,
  framed,
  loopback,
  open,
  sendEvents,
} from "./loopback.ts";

/** How a chat call fails against this answer. */
async function against(
  answer: (response: ServerResponse, n: number) => void,
  env: Record<string, string> = {},
) {
  await using server = await loopback((response, _asked, n) => answer(response, n));
  const failed = await failureOf(
    open("openai-compat", server.url, {}, env).then((m) => collect(m)),
  );
  expect(failed).toBeInstanceOf(ModelCallFailed);
  expect(server.asked).toHaveLength(1);
  return failed as ModelCallFailed;
}

const refuse =
  (status: number, body: unknown = {}, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };

test.each([
  [400, "provider_error", false],
  [401, "auth_refused", false],
  [402, "provider_error", false],
  [403, "auth_refused", false],
  [404, "provider_error", false],
  [408, "provider_unavailable", true],
  [409, "provider_unavailable", true],
  [413, "context", false],
  [418, "provider_error", false],
  [422, "provider_error", false],
  [425, "provider_unavailable", true],
  [429, "provider_unavailable", true],
  [500, "provider_unavailable", true],
  [501, "provider_error", false],
  [502, "provider_unavailable", true],
  [503, "provider_unavailable", true],
  [504, "provider_unavailable", true],
  [529, "provider_unavailable", true],
  [302, "provider_error", false],
])("status %d is %s, retried: %s, and is asked for once", async (status, reason, retryable) => {
  const failed = await against(refuse(status, { error: { message: "Because." } }));
  expect(failed.retryable).toBe(retryable);
  expect(failed.failure).toMatchObject({ reason, httpStatus: status, provider: "acme" });
  expect(failed.failure.message).toMatch(/^acme: HTTP \d+: Because\.?/);
});

test("an empty refusal and one in HTML name their status, never the page", async () => {
  expect((await against(refuse(500, ""))).failure.message).toBe("acme: HTTP 500");
  const page = await against(
    refuse(502, "<html>Bad gateway</html>", { "content-type": "text/html" }),
  );
  expect(page.failure.message).toBe("acme: HTTP 502");
});

test("a refusal whose body never ends is read for what it says", async () => {
  const failed = await against((response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.write(`{"error":{"message":"No"}}${" ".repeat(70_000)}`);
  });
  expect(failed.failure).toMatchObject({ reason: "auth_refused", message: "acme: HTTP 401: No" });
});

test.each([
  [{ "retry-after-ms": "1500", "retry-after": "9" }, 1500],
  [{ "retry-after": "2" }, 2000],
  [{ "retry-after": "soon" }, null],
  [{}, null],
])("headers %j of a 429 ask to wait %s ms", async (headers, ms) => {
  expect((await against(refuse(429, {}, headers))).retryAfterMs).toBe(ms);
});

test("a retry-after that is a date is the time until then", async () => {
  const at = new Date(Date.now() + 60_000).toUTCString();
  const { retryAfterMs } = await against(refuse(503, {}, { "retry-after": at }));
  expect(retryAfterMs).toBeGreaterThan(50_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
});

test("an exhausted quota is not retried, though it comes as a 429", async () => {
  const failed = await against(
    refuse(429, { error: { message: "You exceeded your quota", code: "insufficient_quota" } }),
  );
  expect(failed).toMatchObject({ retryable: false, failure: { reason: "provider_error" } });
});

test("a prompt that is too long for the model is a limit, not an error", async () => {
  const message = "This model's maximum context length is 8192 tokens";
  const failed = await against(refuse(400, { error: { message } }));
  expect(failed.failure.reason).toBe("context");
});

test("a key that the provider echoes is masked", async () => {
  const message = "Incorrect API key provided: hunter2-hunter2 and sk-proj-4711-abcdefghij";
  await using server = await loopback(refuse(401, { error: { message } }));
  const mine = { provider: { apiKey: "hunter2-hunter2" } };
  const failed = await failureOf(open("openai-compat", server.url, mine).then((m) => collect(m)));
  expect(failed).toMatchObject({
    failure: { message: "acme: HTTP 401: Incorrect API key provided: *** and ***" },
  });
});

test("a message is one line of at most 300 characters", async () => {
  const failed = await against(
    refuse(400, { error: { message: `a\n\u001b[31mb\t${"x".repeat(1000)}` } }),
  );
  expect(failed.failure.message).toMatch(/^acme: HTTP 400: a \[31mb xxx/);
  expect(failed.failure.message).toHaveLength(300);
});

test.each(["text/html", "application/json"])("200 with %s is not retried", async (type) => {
  const failed = await against(refuse(200, "<p>hello</p>", { "content-type": type }));
  expect(failed).toMatchObject({
    retryable: false,
    failure: {
      reason: "provider_error",
      message: `acme: answered 200 but not with an event stream (${type})`,
    },
  });
});

test("200 with an error object is what the object says", async () => {
  const failed = await against(refuse(200, { error: { message: "Slow down", code: 429 } }));
  expect(failed).toMatchObject({
    retryable: true,
    failure: { reason: "provider_unavailable", message: "acme: Slow down", httpStatus: 429 },
  });
});

const broken = (events: string) => (response: ServerResponse) => {
  response.writeHead(200, SSE);
  response.end(events);
};
const TEXT = framed([chatText("Hello")]);

test.each([
  ["nothing at all", "", "it ended without a finish marker"],
  ["no finish reason", TEXT, "it ended without a finish marker"],
  ["[DONE] alone", `${TEXT}data: [DONE]\n\n`, "it said [DONE] without a finish reason"],
  ["a truncated last line", `${TEXT}data: {"id":"c1","cho`, "it was cut in the middle of an event"],
  ["a chunk that is not JSON", `${TEXT}data: {oops}\n\n`, "an event is not JSON: {oops}"],
  ["a chunk that is no object", `${TEXT}data: 42\n\n`, "an event is not JSON: 42"],
])("a stream with %s broke, and is retried", async (_what, events, why) => {
  const failed = await against(broken(events));
  expect(failed.retryable).toBe(true);
  expect(failed.failure.reason).toBe("provider_unavailable");
  expect(failed.failure.message).toContain(`stream broke: ${why}`);
});

test.each([
  [{ error: { message: "Overloaded", type: "server_error" } }, "provider_unavailable"],
  [{ error: { message: "Overloaded", code: 529 } }, "provider_unavailable"],
  [{ error: { message: "Overloaded", code: "invalid_api_key" } }, "auth_refused"],
  [{ error: "Overloaded" }, "provider_error"],
])("an error chunk %j in the stream is %s", async (chunk, reason) => {
  const failed = await against((response) => sendEvents(response, [chatText("Hi"), chunk]));
  expect(failed.failure).toMatchObject({ reason, message: "acme: Overloaded" });
});

test("a chunk of the wrong shape is an answer that was not understood", async () => {
  const failed = await against((response) =>
    sendEvents(response, [
      { ...chatText("Hi"), choices: [{ delta: { content: 7 } }] },
      chatFinish("stop"),
      "[DONE]",
    ]),
  );
  expect(failed).toMatchObject({ retryable: false, failure: { reason: "provider_error" } });
});

test("a connection that is reset before or after the first byte is retried", async () => {
  const before = await against((response) => response.socket?.resetAndDestroy());
  expect(before.failure.message).toContain("connection reset before the answer");
  const after = await against((response) => {
    response.writeHead(200, SSE);
    response.write(TEXT, () => response.socket?.resetAndDestroy());
  });
  expect(after.failure.message).toContain("connection reset in the middle of the answer");
  for (const { retryable, failure } of [before, after])
    expect([retryable, failure.reason]).toEqual([true, "provider_unavailable"]);
});

test("a server that accepts and says nothing is given up after the first-byte bound", async () => {
  const failed = await against(() => {}, { CRUSH_RUN_FIRST_BYTE_TIMEOUT: "60ms" });
  expect(failed).toMatchObject({
    retryable: true,
    failure: {
      reason: "provider_unavailable",
      message: expect.stringContaining("no answer within 60 ms"),
    },
  });
});

test("a closed port is retried, and names host and port", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const failed = await failureOf(
    open("openai-compat", `http://127.0.0.1:${port}`).then((m) => collect(m)),
  );
  expect(failed).toMatchObject({
    retryable: true,
    failure: {
      message: `acme: connection refused while connecting (127.0.0.1:${port}, ECONNREFUSED)`,
    },
  });
});

test("a machine that does not answer is given up after the connect bound", async () => {
  // The TLS handshake is part of connecting: this server takes the connection and says nothing.
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const env = { CRUSH_RUN_CONNECT_TIMEOUT: "60ms" };
  const model = await open("openai-compat", `https://127.0.0.1:${port}`, {}, env);
  const failed = await failureOf(collect(model));
  server.close();
  expect(failed).toMatchObject({
    retryable: true,
    failure: { message: expect.stringContaining("within 60 ms") },
  });
});

test("something that does not speak HTTP is not retried", async () => {
  const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9\r\n")).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const failed = await failureOf(
    open("openai-compat", `http://127.0.0.1:${port}`).then((m) => collect(m)),
  );
  server.close();
  expect(failed).toMatchObject({ retryable: false, failure: { reason: "provider_error" } });
});

test("an address that is no URL is a mistake in the configuration, not an outage", async () => {
  const failed = await failureOf(open("openai", "localhost:99").then((m) => collect(m)));
  expect(failed).toMatchObject({
    retryable: false,
    failure: { remedy: "Correct base_url of the provider" },
  });
});

test("a whole answer is an answer although the socket never closes", async () => {
  await using server = await loopback((response, _asked, n) => {
    response.writeHead(200, SSE);
    const end = n === 1 ? ["[DONE]"] : [];
    response.write(framed([chatText("Hi"), chatFinish("stop"), ...end]));
  });
  const model = await open("openai-compat", server.url);
  for (const bound of [200, 900]) {
    const started = performance.now();
    expect((await collect(model)).at(-1)).toMatchObject({ reason: "end_turn" });
    expect(performance.now() - started).toBeLessThan(bound);
  }
  // Our end lets go of the connections itself.
  const open_ = () =>
    new Promise<number>((resolve) => server.server.getConnections((_e, n) => resolve(n)));
  while ((await open_()) > 0) await delay(10);
});

test("usage that follows the finish reason is waited for", async () => {
  const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
  await using server = await loopback((response) => {
    response.writeHead(200, SSE);
    response.write(framed([chatText("Hi"), chatFinish("stop")]));
    setTimeout(
      () => response.write(framed([{ ...chatText(""), choices: [], usage }, "[DONE]"])),
      60,
    );
  });
  expect((await collect(await open("openai-compat", server.url))).at(-1)).toMatchObject({
    usage: { inputTokens: 7, outputTokens: 3 },
  });
});

test.each([
  ["a fault", [chatText("two"), { error: { message: "Overloaded", code: 529 } }]],
  ["the end of the stream", [chatText("two")]],
])("what was said in the same breath as %s is still heard", async (_what, events) => {
  await using server = await loopback((response) =>
    sendEvents(response, [chatText("one "), ...events]),
  );
  const model = await open("openai-compat", server.url);
  let heard = "";
  const failed = await failureOf(
    (async () => {
      for await (const part of model.stream(HI, new AbortController().signal))
        if (part.type === "text") heard += part.text;
    })(),
  );
  expect(failed).toBeInstanceOf(ModelCallFailed);
  expect(heard).toBe("one two");
});
