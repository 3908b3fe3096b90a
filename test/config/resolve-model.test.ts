import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { resolveModel } from "../../src/config/resolve-model.ts";
import { forwardProxy } from "../support/forward-proxy.ts";
import { modelServer } from "../support/model-server.ts";
import { failureOf, projectFolder, textOf, type ProjectFolder } from "../support/project-folder.ts";

const never = new AbortController().signal;
const OPENAI = { OPENAI_API_KEY: "sk-openai-1" };
/** Nobody listens there. */
const NO_OLLAMA = { OLLAMA_HOST: "127.0.0.1:1" };

const refOf = async (config: Config, ref: string | null, kind: "large" | "small" = "large") => {
  const { provider, model } = await resolveModel(config, ref, kind, never);
  return `${provider.id}/${model.id}`;
};

const failed = async (folder: ProjectFolder, config: Config, ref: string | null) =>
  textOf(await failureOf(resolveModel(config, ref, "large", never)), folder.plain);

const provider = (...ids: string[]) => ({
  base_url: "http://127.0.0.1:1/v1",
  models: ids.map((id) => ({ id })),
});

describe("-m", () => {
  test("finds by provider and id, or by an id that only one provider has, in any case", async () => {
    using folder = projectFolder();
    folder.write("crush.json", {
      providers: { one: provider("a/b", "Solo", "both"), two: provider("both") },
    });
    const config = await folder.load({ env: OPENAI });
    expect(await refOf(config, "openai/GPT-5.4")).toBe("openai/gpt-5.4");
    expect(await refOf(config, "gpt-5.4")).toBe("openai/gpt-5.4");
    expect(await refOf(config, "solo")).toBe("one/Solo");
    expect(await refOf(config, "one/a/b")).toBe("one/a/b");
    expect(await refOf(config, "two/both", "small")).toBe("two/both");
    expect(await refOf(config, "demo/offline")).toBe("demo/offline");
  });

  test("knows Gemini by both of its names", async () => {
    using folder = projectFolder();
    const config = await folder.load({ env: { GEMINI_API_KEY: "gm-123456" } });
    expect(await refOf(config, "gemini/gemini-2.5-pro")).toBe("google/gemini-2.5-pro");
    expect(await refOf(config, "google/gemini-2.5-pro")).toBe("google/gemini-2.5-pro");
  });

  test("that matches nothing is unknown_model, with what is near and what is usable", async () => {
    using folder = projectFolder();
    folder.write("crush.json", {
      providers: { one: provider("a/b", "both"), two: provider("both") },
    });
    const config = await folder.load({ env: { ...OPENAI, ...NO_OLLAMA } });
    const lists = '"crush models" lists what is usable (providers: openai, one, two, demo)';
    const cases = [
      [
        "openai/gpt-5.4-mino",
        "unknown model openai/gpt-5.4-mino",
        "did you mean openai/gpt-5.4-mini, openai/gpt-5.4-nano, openai/gpt-4.1-mini? ",
      ],
      [
        "gpt-5.4-mino",
        'unknown model "gpt-5.4-mino"',
        "did you mean openai/gpt-5.4-mini, openai/gpt-5.4-nano, openai/gpt-4.1-mini? ",
      ],
      [
        "opanai/gpt-5.4",
        "unknown model opanai/gpt-5.4: there is no provider opanai",
        "did you mean openai/gpt-5.4, openai/gpt-5.1, openai/gpt-5.2? ",
      ],
      ["a/b", "unknown model a/b: there is no provider a", "did you mean one/a/b? "],
      ["demo/of", "unknown model demo/of", "did you mean demo/offline? "],
      ["demo/", "unknown model demo/", "did you mean demo/offline? "],
      ["demo", 'unknown model "demo"', "did you mean demo/offline? "],
      ["flin", 'unknown model "flin"', "did you mean demo/offline? "],
      ["zzzzzzzzzzzzzz", 'unknown model "zzzzzzzzzzzzzz"', ""],
      ["", 'unknown model ""', ""],
    ] as const;
    for (const [ref, message, similar] of cases)
      expect(await failed(folder, config, ref)).toEqual({
        reason: "unknown_model",
        message,
        remedy: `${similar}${lists}`,
      });
    expect(await failed(folder, config, "both")).toEqual({
      reason: "unknown_model",
      message: "model both is ambiguous: one/both, two/both",
      remedy: "write one of them in full",
    });
  });

  test("of a provider without its key is auth_missing and names the variable", async () => {
    using folder = projectFolder();
    const config = await folder.load({ env: { OPENROUTER_API_KEY: "or-123456", ...NO_OLLAMA } });
    const reason = "auth_missing";
    const message = "openai: no key: OPENAI_API_KEY is not set";
    expect(await failed(folder, config, "openai/gpt-5.4")).toEqual({
      reason,
      message,
      remedy: "set OPENAI_API_KEY, or use -m openrouter/openai/gpt-5.4",
    });
    expect(await failed(folder, config, "gpt-5.3-codex-spark")).toEqual({
      reason,
      message,
      remedy: "set OPENAI_API_KEY",
    });
  });

  test("of a provider that is mistaken or disabled is invalid_config", async () => {
    using folder = projectFolder();
    folder.write("crush.json", { providers: { off: { disable: true }, az: { type: "azure" } } });
    const config = await folder.load({ env: OPENAI });
    expect(await failed(folder, config, "off/m")).toMatchObject({
      reason: "invalid_config",
      message: "off: the configuration disables it",
    });
    expect(await failed(folder, config, "az/m")).toMatchObject({
      reason: "invalid_config",
      message: 'az: this version does not speak type "azure"',
    });
  });

  test("whose key command fails names the place and what the command said", async () => {
    using folder = projectFolder();
    folder.write("crush.json", {
      providers: { openai: { api_key: "$(echo locked >&2; exit 7)" } },
    });
    const config = await folder.load({ trustConfig: true });
    expect(await failed(folder, config, "openai/gpt-5.4")).toEqual({
      reason: "invalid_config",
      message:
        "ROOT/crush.json:1:35: providers.openai.api_key cannot be expanded: its command failed (7): locked",
      remedy: "correct the value, or what it refers to",
    });
    expect((await failed(folder, config, "openai/none")).reason).toBe("unknown_model");
  });

  test("whose key command gives nothing is auth_missing", async () => {
    using folder = projectFolder();
    folder.write("crush.json", { providers: { openai: { api_key: "$(true)" } } });
    const config = await folder.load({ trustConfig: true });
    expect(await failed(folder, config, null)).toEqual({
      reason: "auth_missing",
      message: "openai: no key: its api_key is empty",
      remedy: "set providers.openai.api_key",
    });
  });
});

test("no failure tells a key, a password or where in our code it happened", async () => {
  using folder = projectFolder();
  await using refusing = await modelServer({ error: "sk-top-secret-1 is wrong" }, 401);
  await using garbled = await modelServer("<html>sk-top-secret-1</html>");
  await using proxy = await forwardProxy({ refuses: 403 });
  const lister = (host: string) => ({
    type: "openai-compat",
    base_url: `http://ann:pass-word-1@${host}/v1`,
    api_key: "$LISTER_KEY",
    extra_headers: { "X-Token": "$LISTER_TOKEN" },
  });
  folder.write("crush.json", {
    providers: {
      refusing: lister(refusing.host),
      garbled: lister(garbled.host),
      gone: lister("127.0.0.1:1"),
      tunnel: { ...lister("models.test"), base_url: "https://ann:pass-word-1@models.test/v1" },
      mistaken: { ...lister("x"), base_url: "ftp://ann:pass-word-1@x" },
      command: { ...lister("x"), api_key: "$(test $LISTER_KEY = other)" },
    },
  });
  const env = {
    LISTER_KEY: "sk-top-secret-1",
    LISTER_TOKEN: "tk-top-secret-2",
    HTTPS_PROXY: `http://ann:pass-word-1@${proxy.host}`,
    ...NO_OLLAMA,
  };
  const told = async (ref: string, more: Record<string, string> = {}): Promise<string> => {
    const config = await folder.load({ env: { ...env, ...more }, trustConfig: true });
    const { reason, message, remedy } = await failed(folder, config, ref);
    return `${reason}: ${message}; ${remedy}`;
  };
  const refs = ["refusing/m", "garbled/m", "gone/m", "tunnel/m", "mistaken/m", "command/m"];
  const lines = await Promise.all(refs.map(async (ref) => await told(ref)));
  lines.push(await told("gone/m", { LISTER_KEY: "sk-top-secret-1\nmore" }));
  lines.push(await told("gone/m", { HTTP_PROXY: "http://ann:pass-word-1@[bad" }));
  expect(lines.map((line) => line.split(":")[0])).toEqual([
    "auth_refused",
    "provider_unavailable",
    "provider_unavailable",
    "provider_error",
    "invalid_config",
    "invalid_config",
    "provider_error",
    "provider_error",
  ]);
  for (const line of lines) expect(line).not.toMatch(/secret|pass-word|\n|\bat .*\.ts/);
});

describe("without -m", () => {
  test("models.large and models.small are used, with their parameters", async () => {
    using folder = projectFolder();
    folder.write("crush.json", {
      models: {
        large: {
          provider: "openai",
          model: "GPT-5.2",
          reasoning_effort: "high",
          think: true,
          max_tokens: 100,
          temperature: 0,
          top_p: 0.5,
          top_k: 4,
          frequency_penalty: 1,
          presence_penalty: 2,
          provider_options: { x: 1 },
        },
        small: { provider: "one", model: "m" },
      },
      providers: { one: provider("m") },
    });
    const config = await folder.load({ env: OPENAI });
    const parameters = {
      reasoningEffort: "high",
      think: true,
      maxTokens: 100,
      temperature: 0,
      topP: 0.5,
      topK: 4,
      frequencyPenalty: 1,
      presencePenalty: 2,
      providerOptions: { x: 1 },
    };
    const large = await resolveModel(config, null, "large", never);
    expect(large).toMatchObject({ model: { id: "gpt-5.2" }, ...parameters });
    expect(config.large).toEqual(large);
    expect(await refOf(config, null, "small")).toBe("one/m");
    // They belong to the configured model alone.
    expect(await resolveModel(config, "gpt-5.2", "large", never)).toMatchObject(parameters);
    expect((await resolveModel(config, "gpt-5.1", "large", never)).reasoningEffort).toBeNull();
  });

  test("a configured model that is not usable is no reason to take another one", async () => {
    using folder = projectFolder();
    folder.write("crush.json", {
      models: { large: { provider: "anthropic", model: "claude-haiku-4-5" } },
    });
    const config = await folder.load({ env: OPENAI });
    expect(config.large).toBeNull();
    expect(await failed(folder, config, null)).toEqual({
      reason: "auth_missing",
      message:
        "ROOT/crush.json:1:20: models.large selects anthropic/claude-haiku-4-5: anthropic: no key: ANTHROPIC_API_KEY is not set",
      remedy: "set ANTHROPIC_API_KEY",
    });
  });

  test("the catalogue's order comes before custom providers, and those go by name", async () => {
    using folder = projectFolder();
    folder.write("crush.json", { providers: { b: provider("x"), a: provider("y", "z") } });
    const config = await folder.load();
    expect([await refOf(config, null), await refOf(config, null, "small")]).toEqual(["a/y", "a/y"]);
    const keyed = await folder.load({
      env: { XAI_API_KEY: "xai-12345", GROQ_API_KEY: "gr-12345" },
    });
    expect(await refOf(keyed, null)).toBe("groq/openai/gpt-oss-120b");
    expect(await refOf(keyed, null, "small")).toBe("groq/openai/gpt-oss-20b");
  });

  test("nothing configured and no key is auth_missing with every way out; the demo is never taken", async () => {
    using folder = projectFolder();
    const config = await folder.load({ env: NO_OLLAMA });
    expect(await failed(folder, config, null)).toEqual({
      reason: "auth_missing",
      message: "no model is configured, and no provider has a key",
      remedy:
        "set one of OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, OPENROUTER_API_KEY, GROQ_API_KEY, MISTRAL_API_KEY, XAI_API_KEY, DEEPSEEK_API_KEY; or start Ollama; or try -m demo/offline, which needs neither",
    });
  });

  test("when the only configured provider cannot be used, the reason is what is wrong with it", async () => {
    using folder = projectFolder();
    folder.write("crush.json", {
      providers: {
        mine: { type: "opnai", base_url: "http://127.0.0.1:1/v1", models: [{ id: "m" }] },
      },
    });
    const config = await folder.load({ env: NO_OLLAMA });
    const failure = await failed(folder, config, null);
    expect(failure.reason).toBe("invalid_config");
    expect(failure.message).toContain("opnai");
  });
});
