import { expect, test } from "vitest";
import type { ProviderConfig } from "../../src/config/config.ts";
import { discoverModels } from "../../src/config/discover.ts";
import { modelServer } from "../support/model-server.ts";
import { failureOf, textOf } from "../support/project-folder.ts";

const never = new AbortController().signal;
const options = { env: {}, connectMs: 500, totalMs: 500, remedy: "start it" };

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
