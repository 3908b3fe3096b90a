import { expect, test } from "vitest";
import { keySource } from "../../src/config/key-source.ts";
import { localServer } from "../../src/config/local-server.ts";

const KEY = "sk-0123456789abcdef";
const withKey = (api_key: string) => ({ providers: { p: { api_key } } });

test("the place of a key is told by name, never by the key", () => {
  expect(keySource("openai", {}, { OPENAI_API_KEY: KEY })).toBe("OPENAI_API_KEY");
  expect(keySource("openai", {}, { OPENAI_API_KEY: "a", CRUSH_OPENAI_API_KEY: KEY })).toBe(
    "CRUSH_OPENAI_API_KEY",
  );
  expect(keySource("gemini", {}, { GOOGLE_API_KEY: KEY })).toBe("GOOGLE_API_KEY");
  expect(keySource("openai", { env: { OPENAI_API_KEY: KEY } }, {})).toBe(
    "env.OPENAI_API_KEY of the configuration",
  );
  expect(keySource("openai", {}, {})).toBeNull();
  expect(keySource("p", withKey(KEY), {})).toBe("the configuration");
  expect(keySource("p", withKey("${A:-$B}"), { CRUSH_B: KEY })).toBe("A, CRUSH_B");
  expect(keySource("p", withKey(`$(echo ${KEY})`), {})).toBe("a command in the configuration");
  expect(keySource("p", withKey(""), {})).toBeNull();
});

const at = async (base_url: string | undefined, env: Readonly<Record<string, string>> = {}) =>
  await localServer(
    "p",
    { providers: { p: { ...(base_url && { base_url }) } } },
    env,
    new AbortController().signal,
  );

test("a server is on this machine when its address says so and no proxy stands between", async () => {
  expect(await at("http://127.0.0.1:1/v1/")).toBe("http://127.0.0.1:1/v1");
  expect(await at("http://$HOST:1/v1", { HOST: "localhost" })).toBe("http://localhost:1/v1");
  for (const elsewhere of [
    "http://10.0.0.1/v1",
    "http://localhost.example.test/v1",
    "nonsense",
    undefined,
  ])
    expect([elsewhere, await at(elsewhere)]).toEqual([elsewhere, null]);
  expect(await at("http://127.0.0.1:1/v1", { HTTP_PROXY: "http://a:1" })).toBeNull();
  expect(await at("http://127.0.0.1:1/v1", { HTTP_PROXY: "http://" })).toBeNull();
});

test("an address that only a command can tell is not asked for", async () => {
  expect(await at("$(echo http://127.0.0.1:1)")).toBeNull();
  expect(await at("${")).toBeNull();
});

test("Ollama is where OLLAMA_HOST says", async () => {
  const ollama = async (env: Readonly<Record<string, string>>) =>
    await localServer("ollama", {}, env, new AbortController().signal);
  expect(await ollama({})).toBe("http://127.0.0.1:11434/v1");
  expect(await ollama({ OLLAMA_HOST: "0.0.0.0:5" })).toBe("http://127.0.0.1:5/v1");
  expect(await ollama({ OLLAMA_HOST: "far.example.test" })).toBeNull();
});
