import { expect, test } from "vitest";
import type { ProviderConfig } from "../../src/config/config.ts";
import { discoverModels } from "../../src/config/discover.ts";
import { forwardProxy } from "../support/forward-proxy.ts";
import { modelList, modelServer } from "../support/model-server.ts";
import { failureOf, projectFolder, textOf } from "../support/project-folder.ts";
import { secureServer } from "../support/secure-server.ts";

const never = new AbortController().signal;
const options = { env: {}, connectMs: 5000, totalMs: 5000, remedy: "start it" };

const provider = (baseUrl: string, more: Partial<ProviderConfig> = {}): ProviderConfig => ({
  id: "lm",
  name: "LM",
  type: "openai-compat",
  baseUrl,
  apiKey: "sk-1",
  extraHeaders: { "x-team": "t" },
  extraBody: {},
  providerOptions: {},
  systemPromptPrefix: null,
  models: [],
  ...more,
});

test("OpenAI's form of the list is read, with the sizes that servers add to it", async () => {
  await using server = await modelServer({
    data: [
      { id: "b", max_model_len: 4096 },
      { id: "a", context_length: 10 },
      { id: "c" },
      { x: 1 },
    ],
  });
  const models = await discoverModels(provider(server.url), options, never);
  expect(models.map(({ id, contextWindow }) => [id, contextWindow])).toEqual([
    ["a", 10],
    ["b", 4096],
    ["c", null],
  ]);
  expect(server.requests[0]).toMatchObject({ authorization: "Bearer sk-1", "x-team": "t" });
});

test("Gemini's form of the list is read, and its key goes in its own header", async () => {
  await using server = await modelServer({
    models: [{ name: "models/gemini-x", displayName: "Gemini X", inputTokenLimit: 7 }],
  });
  const models = await discoverModels(provider(server.url, { type: "google" }), options, never);
  expect(models[0]).toMatchObject({ id: "gemini-x", name: "Gemini X", contextWindow: 7 });
  expect(server.requests[0]).toMatchObject({ "x-goog-api-key": "sk-1" });
});

test("Anthropic is asked with its own headers, and a provider without a key with none", async () => {
  await using server = await modelServer({ data: [] });
  await discoverModels(provider(server.url, { type: "anthropic" }), options, never);
  await discoverModels(provider(server.url, { apiKey: null }), options, never);
  expect(server.requests[0]).toMatchObject({ "x-api-key": "sk-1" });
  expect(server.requests[1]?.authorization).toBeUndefined();
});

test.each([
  ["<html>", 200, "provider_unavailable", "not JSON", "start it"],
  [{ nothing: 1 }, 200, "provider_unavailable", "the answer holds no list of models", "start it"],
  [{}, 500, "provider_unavailable", "status 500", "start it"],
  [{}, 401, "auth_refused", "status 401", "check providers.lm.api_key"],
  [
    "x".repeat(5 * 1024 * 1024),
    200,
    "provider_unavailable",
    "the list is larger than 4 MiB",
    "start it",
  ],
])("an answer %.8s with status %i is %s: %s", async (answer, status, reason, why, remedy) => {
  await using server = await modelServer(answer, status);
  const failed = await failureOf(discoverModels(provider(server.url), options, never));
  const message = `lm: cannot list its models at ${server.url}/models: ${why}`;
  expect(textOf(failed)).toEqual({ reason, message, remedy });
});

test("a server that is not there, or never answers, is unavailable within the bound", async () => {
  const gone = await modelServer({});
  await gone[Symbol.asyncDispose]();
  const refused = await failureOf(discoverModels(provider(gone.url), options, never));
  expect(refused.message).toBe(
    `lm: cannot list its models at ${gone.url}/models: connection refused while connecting (${gone.host}, ECONNREFUSED)`,
  );

  await using silent = await modelServer(null);
  const bounds = { ...options, totalMs: 100 };
  const late = await failureOf(discoverModels(provider(silent.url), bounds, never));
  expect(late.message).toBe(
    `lm: cannot list its models at ${silent.url}/models: no answer within 100 ms`,
  );
});

test("an abort throws the signal's reason", async () => {
  await using silent = await modelServer(null);
  const abort = new AbortController();
  const asking = discoverModels(provider(silent.url), options, abort.signal);
  abort.abort(new Error("enough"));
  await expect(asking).rejects.toThrow("enough");
});

test("the list is asked for through the proxy of the environment, unless NO_PROXY names the server", async () => {
  await using server = await modelServer(modelList("m"));
  await using proxy = await forwardProxy();
  const env = { HTTP_PROXY: `http://${proxy.host}` };
  const models = await discoverModels(provider(server.url), { ...options, env }, never);
  expect(models.map(({ id }) => id)).toEqual(["m"]);
  expect(proxy.seen).toEqual([`GET ${server.url}/models -`]);
  const direct = { ...options, env: { ...env, NO_PROXY: "127.0.0.1" } };
  await discoverModels(provider(server.url), direct, never);
  expect(proxy.seen).toHaveLength(1);
  expect(server.requests).toHaveLength(2);
});

test("a list behind https comes through a tunnel, and with a CA file", async () => {
  await using server = await secureServer((_, answer) =>
    answer.end(JSON.stringify(modelList("m"))),
  );
  await using proxy = await forwardProxy();
  const env = { HTTPS_PROXY: proxy.host, SSL_CERT_FILE: server.caFile };
  const url = `https://${server.host}/v1`;
  const models = await discoverModels(provider(url), { ...options, env }, never);
  expect(models.map(({ id }) => id)).toEqual(["m"]);
  expect(proxy.seen).toEqual([`CONNECT ${server.host} -`]);
  expect(textOf(await failureOf(discoverModels(provider(url), options, never)))).toMatchObject({
    reason: "provider_error",
    message: expect.stringContaining(
      `the certificate of ${server.host} was not accepted`,
    ) as string,
    remedy: "Set NODE_EXTRA_CA_CERTS to the file with your CA certificate",
  });
});

test("a proxy that refuses is told with the remedy, and without a password of the URL", async () => {
  await using proxy = await forwardProxy({ refuses: 403 });
  const bound = { ...options, env: { HTTPS_PROXY: proxy.host } };
  const asked = provider("https://me:pass-word@models.test/v1");
  expect(textOf(await failureOf(discoverModels(asked, bound, never)))).toEqual({
    reason: "provider_error",
    message: `lm: cannot list its models at https://models.test/v1/models: the proxy ${proxy.host} answered 403 to CONNECT`,
    remedy: "Check HTTPS_PROXY and NO_PROXY",
  });
});

test("the environment of the configuration's loader is the one that names the proxy", async () => {
  using folder = projectFolder();
  await using server = await modelServer(modelList("m"));
  await using proxy = await forwardProxy();
  folder.write("crush.json", { providers: { lm: { type: "lmstudio", base_url: server.url } } });
  const config = await folder.load({ env: { HTTP_PROXY: proxy.host } });
  expect((await config.completions.get("lm")?.finish(never))?.models).toHaveLength(1);
  expect(proxy.seen).toEqual([`GET ${server.url}/models -`]);
});
