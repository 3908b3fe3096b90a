import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maskedConfig } from "../../src/config/masked-config.ts";
import { isJsonObject, type Json, type JsonObject } from "../../src/shared/json.ts";

const KEY = "Hq7-9vXw2LmT4kZ_pB6rN8";
const shown = (config: JsonObject, env: Readonly<Record<string, string>> = {}): JsonObject =>
  maskedConfig(config, env);

const PLACES: readonly (readonly [string, JsonObject])[] = [
  ["a key", { providers: { p: { api_key: KEY } } }],
  ["a default of a key", { providers: { p: { api_key: `\${A:-${KEY}}` } } }],
  ["a command that says it", { providers: { p: { api_key: `$(echo ${KEY})` } } }],
  ["a key that cannot be expanded", { providers: { p: { api_key: `\${${KEY}` } } }],
  ["a header of any name", { providers: { p: { extra_headers: { "X-A": KEY } } } }],
  ["the user of an address", { providers: { p: { base_url: `https://u:${KEY}@h/v1` } } }],
  ["the query of an address", { mcp: { m: { url: `https://h/?a=1&code=${KEY}` } } }],
  ["a header of an MCP server", { mcp: { m: { headers: { Authorization: `Bearer ${KEY}` } } } }],
  ["the environment of an MCP server", { mcp: { m: { env: { ANY: KEY } } } }],
  ["an argument", { mcp: { m: { args: ["--api-key", KEY] } } }],
  ["an argument with =", { mcp: { m: { args: [`--token=${KEY}`] } } }],
  ["a token of OAuth", { providers: { p: { oauth: { access: [KEY], deep: { a: KEY } } } } }],
  ["an entry of env", { env: { ANY: KEY } }],
  ["a body", { providers: { p: { extra_body: { a: [{ client_secret: KEY }] } } } }],
  ["a key in place of a provider", { providers: { p: KEY } }],
  ["a key in place of all providers", { providers: KEY }],
  ["a server in place of its settings", { mcp: { m: [KEY] } }],
  ["a text in place of headers", { providers: { p: { extra_headers: `X: ${KEY}` } } }],
  ["a list in place of an environment", { env: [`A=${KEY}`] }],
  ["a field nobody knows", { strange: { password: KEY } }],
  ["a copy of a key elsewhere", { providers: { p: { api_key: KEY, name: `x ${KEY} y` } } }],
  ["a key that tells itself", { strange: [`sk-ant-${"a1B2".repeat(6)}`] }],
];

describe("what is shown of a configuration", () => {
  test.each(PLACES)("%s is not", (_where, config) => {
    const text = JSON.stringify(shown(config));
    expect(text).toContain("***");
    expect(text).not.toContain(KEY);
    expect(text).not.toContain("a1B2a1B2");
  });

  test("a key of the environment that somebody copied is not", () => {
    const config = { options: { context_paths: [KEY] } };
    expect(JSON.stringify(shown(config, { OPENAI_API_KEY: KEY }))).not.toContain(KEY);
  });

  test("variables and their operators are, so that one sees what is meant", () => {
    const shownKey = (key: string): unknown =>
      shown({ providers: { p: { api_key: key } } })["providers"];
    const as = (key: string): unknown => ({ p: { api_key: key } });
    expect(shownKey("$A")).toEqual(as("$A"));
    expect(shownKey("Bearer ${A:-$B}x")).toEqual(as("***${A:-$B}***"));
    expect(shownKey("$(pass show openai)")).toEqual(as("$(***)"));
    expect(shownKey("")).toEqual(as(""));
  });

  test("a key that lost its quotes is not, and a number of tokens is", () => {
    const providers = { p: { api_key: 987_654_321, max_tokens: 128_000 } };
    expect(shown({ providers, env: { PIN: 123_456 } })).toEqual({
      providers: { p: { api_key: "***", max_tokens: 128_000 } },
      env: { PIN: "***" },
    });
  });

  test("what is no secret stays as it is", () => {
    const config = {
      models: { large: { provider: "ollama", model: "m", max_tokens: 5, think: true } },
      providers: { ollama: { base_url: "http://127.0.0.1:1/v1", api_key: "***", models: [null] } },
      options: { disabled_tools: ["fetch"], context_paths: ["docs/a b.md"] },
    };
    expect(shown(config)).toEqual(config);
    const local = { providers: { ollama: { api_key: "ollama", name: "ollama" } } };
    expect(shown(local)).toEqual({ providers: { ollama: { api_key: "***", name: "ollama" } } });
  });

  test("wherever a key stands that another field names as one, it is blotted out, and the form stays", () => {
    const word = fc.constantFrom("a", "url", "args", "name", "env", "headers");
    const tree = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Json>(KEY, `x${KEY}`, `https://h/${KEY}`, 1, null, "plain"),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(word, tie("value"), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value;
    const form = (value: Json | undefined): unknown => {
      if (typeof value === "string") return "";
      if (Array.isArray(value)) return value.map(form);
      if (!isJsonObject(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, form(one)]));
    };
    fc.assert(
      fc.property(tree, (rest) => {
        const config = { providers: { p: { api_key: KEY } }, rest };
        const masked = shown(config);
        expect(JSON.stringify(masked)).not.toContain(KEY);
        expect(form(masked)).toEqual(form(config));
      }),
    );
  });
});
