import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveModel } from "../../src/config/resolve-model.ts";
import { projectFolder } from "../support/project-folder.ts";

const never = new AbortController().signal;
const userFile = (home: string): string => join(home, ".config/crush/crush.json");

describe("from the environment alone", () => {
  test.each([
    ["OPENAI_API_KEY", "openai", "openai-responses", "gpt-5.4", "gpt-5.4-mini"],
    ["ANTHROPIC_API_KEY", "anthropic", "anthropic", "claude-sonnet-4-6", "claude-haiku-4-5"],
    ["GEMINI_API_KEY", "google", "google", "gemini-3.1-pro-preview", "gemini-flash-latest"],
    ["GOOGLE_API_KEY", "google", "google", "gemini-3.1-pro-preview", "gemini-flash-latest"],
    [
      "GOOGLE_GENERATIVE_AI_API_KEY",
      "google",
      "google",
      "gemini-3.1-pro-preview",
      "gemini-flash-latest",
    ],
    [
      "OPENROUTER_API_KEY",
      "openrouter",
      "openrouter",
      "anthropic/claude-sonnet-4.6",
      "anthropic/claude-haiku-4.5",
    ],
    ["GROQ_API_KEY", "groq", "openai-compat", "openai/gpt-oss-120b", "openai/gpt-oss-20b"],
    ["MISTRAL_API_KEY", "mistral", "openai-compat", "mistral-large-latest", "mistral-small-latest"],
    ["XAI_API_KEY", "xai", "openai-compat", "grok-4.3", "grok-4-1-fast"],
    ["DEEPSEEK_API_KEY", "deepseek", "openai-compat", "deepseek-v4-pro", "deepseek-v4-flash"],
  ])("%s makes %s usable", async (name, id, type, large, small) => {
    using folder = projectFolder();
    const config = await folder.load({ env: { [name]: "key-123456" } });
    expect([...config.providers.keys()]).toEqual([id, "demo"]);
    expect(config.providers.get(id)).toMatchObject({ type, apiKey: "key-123456" });
    expect(config.large).toMatchObject({ provider: { id }, model: { id: large }, maxTokens: null });
    expect(config.small).toMatchObject({ provider: { id }, model: { id: small } });
    expect(config.secrets).toEqual(["key-123456"]);
    expect(config.completions.has("ollama")).toBe(true);
  });

  test("without any key only the demo is there, and nothing is chosen", async () => {
    using folder = projectFolder();
    const config = await folder.load({ env: { OPENAI_API_KEY: "" } });
    expect([...config.providers.values()].map(({ id, type }) => [id, type])).toEqual([
      ["demo", "demo"],
    ]);
    expect([config.large, config.small]).toEqual([null, null]);
    expect(config.unusable.map(({ id, why, remedy }) => [id, why, remedy]).slice(1, 3)).toEqual([
      ["anthropic", "no key: ANTHROPIC_API_KEY is not set", "set ANTHROPIC_API_KEY"],
      [
        "google",
        "no key: GEMINI_API_KEY, GOOGLE_GENERATIVE_AI_API_KEY, GOOGLE_API_KEY are not set",
        "set GEMINI_API_KEY",
      ],
    ]);
  });

  test("the vendor's own base URL variable is followed", async () => {
    using folder = projectFolder();
    const config = await folder.load({
      env: {
        OPENAI_API_KEY: "sk-openai",
        OPENAI_BASE_URL: "http://127.0.0.1:9/v1/",
        ANTHROPIC_API_KEY: "sk-anthropic",
        ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
      },
    });
    expect(config.providers.get("openai")).toMatchObject({
      type: "openai",
      baseUrl: "http://127.0.0.1:9/v1",
    });
    expect(config.providers.get("anthropic")?.baseUrl).toBe("http://127.0.0.1:9/v1");
  });

  test("S20: CRUSH_X overrides X, for the request as well, and both values are secret", async () => {
    using folder = projectFolder();
    const config = await folder.load({
      env: { OPENAI_API_KEY: "sk-plain-1", CRUSH_OPENAI_API_KEY: "sk-override" },
    });
    const { provider } = await resolveModel(config, null, "large", never);
    expect(provider.apiKey).toBe("sk-override");
    expect([...config.secrets].sort()).toEqual(["sk-override", "sk-plain-1"]);
    expect(config.secretEnvNames).toEqual(
      expect.arrayContaining([
        "OPENAI_API_KEY",
        "CRUSH_OPENAI_API_KEY",
        "XAI_API_KEY",
        "CRUSH_XAI_API_KEY",
      ]),
    );
  });

  test.each([
    [{ options: { disable_default_providers: true } }, {}],
    [{}, { CRUSH_DISABLE_DEFAULT_PROVIDERS: "1" }],
  ])("the catalogue can be switched off: %j %j", async (content, env) => {
    using folder = projectFolder();
    folder.write("crush.json", content);
    const config = await folder.load({ env: { OPENAI_API_KEY: "sk-123456", ...env } });
    expect([...config.providers.keys()]).toEqual(["demo"]);
    expect(config.completions.size).toBe(0);
  });
});

describe("from the configuration", () => {
  test("a catalogue provider keeps what the configuration does not say", async () => {
    using folder = projectFolder();
    folder.write(userFile(folder.home), {
      providers: {
        openai: {
          name: "Ours",
          api_key: "${WORK_KEY}",
          base_url: "https://gateway.test/v1/",
          responses: true,
          system_prompt_prefix: "Be brief.",
          extra_headers: { "X-Team": "$TEAM", "X-None": "$NONE", Authorization: "literal-token" },
          extra_body: { a: "$TEAM" },
          provider_options: { b: 1 },
          models: [
            { id: "own", cost_per_1m_in: 0 },
            { id: "gpt-5.4", context_window: 5, name: "Mine" },
          ],
        },
      },
    });
    const config = await folder.load({ env: { WORK_KEY: "sk-work-1", TEAM: "team-blue" } });
    const openai = config.providers.get("openai");
    expect({ ...openai, models: openai?.models.slice(0, 2) }).toEqual({
      id: "openai",
      name: "Ours",
      type: "openai-responses",
      baseUrl: "https://gateway.test/v1",
      apiKey: "sk-work-1",
      extraHeaders: { "X-Team": "team-blue", Authorization: "literal-token" },
      extraBody: { a: "$TEAM" },
      providerOptions: { b: 1 },
      systemPromptPrefix: "Be brief.",
      models: [
        {
          id: "own",
          name: "own",
          costPer1mIn: 0,
          costPer1mOut: null,
          costPer1mInCached: null,
          costPer1mOutCached: null,
          contextWindow: null,
          defaultMaxTokens: null,
          canReason: false,
          supportsAttachments: false,
        },
        {
          id: "gpt-5.4",
          name: "Mine",
          costPer1mIn: 2.5,
          costPer1mOut: 15,
          costPer1mInCached: null,
          costPer1mOutCached: 0.25,
          contextWindow: 5,
          defaultMaxTokens: 128_000,
          canReason: true,
          supportsAttachments: true,
        },
      ],
    });
    expect(openai?.models.filter((model) => model.id === "gpt-5.4")).toHaveLength(1);
    expect(config.secrets).toEqual(["sk-work-1", "team-blue", "literal-token"]);
    expect(config.secretEnvNames).toEqual(expect.arrayContaining(["WORK_KEY", "CRUSH_WORK_KEY"]));
  });

  test("each type speaks its family, and an unknown one is unusable", async () => {
    using folder = projectFolder();
    const types = [
      "openai",
      "openai-responses",
      "openai-compat",
      "ollama",
      "lmstudio",
      "llamacpp",
      "litellm",
      "omlx",
      "vercel",
      "openrouter",
      "anthropic",
      "google",
      "scripted",
      "azure",
      "bedrock",
      "google-vertex",
      "hyper",
    ];
    const entry = { base_url: "http://127.0.0.1:1/v1", models: [{ id: "m" }] };
    folder.write("crush.json", {
      providers: {
        bare: entry,
        ...Object.fromEntries(types.map((type) => [`p-${type}`, { ...entry, type }])),
      },
    });
    const config = await folder.load({ trustConfig: true });
    expect(Object.fromEntries([...config.providers].map(([id, { type }]) => [id, type]))).toEqual({
      bare: "openai-compat",
      "p-anthropic": "anthropic",
      "p-google": "google",
      "p-litellm": "openai-compat",
      "p-llamacpp": "openai-compat",
      "p-lmstudio": "openai-compat",
      "p-ollama": "openai-compat",
      "p-omlx": "openai-compat",
      "p-openai": "openai",
      "p-openai-compat": "openai-compat",
      "p-openai-responses": "openai-responses",
      "p-openrouter": "openrouter",
      "p-scripted": "scripted",
      "p-vercel": "openai-compat",
      demo: "demo",
    });
    expect(config.unusable.find(({ id }) => id === "p-bedrock")).toEqual({
      id: "p-bedrock",
      name: "p-bedrock",
      reason: "invalid_config",
      why: 'this version does not speak type "bedrock"',
      remedy:
        "use one of openai, openai-responses, openai-compat, litellm, llamacpp, lmstudio, ollama, omlx, vercel, openrouter, anthropic, google, gemini",
    });
  });

  test("what cannot be used says why and what to do", async () => {
    using folder = projectFolder();
    folder.write(userFile(folder.home), {
      providers: {
        anthropic: { disable: true },
        groq: { api_key: "$MY_GROQ" },
        mistral: { api_key: "${MY_MISTRAL:?ask the team}" },
        xai: { base_url: "api.x.ai" },
        "a-nourl": { models: [{ id: "m" }] },
        "b-nomodels": { base_url: "http://127.0.0.1:1", discover_models: false },
        "c-emptyurl": { base_url: "$NO_URL", models: [{ id: "m" }] },
      },
    });
    const config = await folder.load({ env: { XAI_API_KEY: "xai-123456" } });
    const told = Object.fromEntries(
      config.unusable.map(({ id, reason, why, remedy }) => [
        id,
        folder.plain(`${reason}: ${why} => ${remedy}`),
      ]),
    );
    expect(told).toMatchObject({
      anthropic:
        "invalid_config: the configuration disables it => take providers.anthropic.disable out of the configuration",
      groq: "auth_missing: no key: MY_GROQ is not set => set MY_GROQ",
      mistral:
        "invalid_config: HOME/.config/crush/crush.json:1:95: providers.mistral.api_key cannot be expanded: MY_MISTRAL: ask the team => correct the value, or what it refers to",
      xai: "invalid_config: HOME/.config/crush/crush.json:1:144: providers.xai.base_url is not an http or https URL => write it as https://host/path",
      "a-nourl": "invalid_config: it has no base_url => set providers.a-nourl.base_url",
      "b-nomodels":
        "invalid_config: it has no models, and discover_models is false => list them in providers.b-nomodels.models",
      "c-emptyurl":
        "invalid_config: HOME/.config/crush/crush.json:1:286: providers.c-emptyurl.base_url expands to nothing => set NO_URL",
    });
    expect([...config.providers.keys()]).toEqual(["demo"]);
  });

  test("a key command runs only for the provider that is used, and its output is a secret from then on", async () => {
    using folder = projectFolder();
    const ran = join(folder.root, "ran-");
    const key = (name: string) => `$(touch ${ran}${name}; echo key-of-${name})`;
    folder.write(userFile(folder.home), {
      providers: { openai: { api_key: key("openai") }, anthropic: { api_key: key("anthropic") } },
    });
    const config = await folder.load();
    expect([...config.providers.keys()]).toEqual(["openai", "anthropic", "demo"]);
    expect(config.large).toMatchObject({
      provider: { id: "openai", apiKey: null },
      model: { id: "gpt-5.4" },
    });
    expect([existsSync(`${ran}openai`), existsSync(`${ran}anthropic`)]).toEqual([false, false]);

    const { provider } = await resolveModel(config, "anthropic/claude-haiku-4-5", "large", never);
    expect(provider.apiKey).toBe("key-of-anthropic");
    expect([existsSync(`${ran}openai`), existsSync(`${ran}anthropic`)]).toEqual([false, true]);
    expect(config.secrets).toEqual(["key-of-anthropic"]);
  });

  test("a placeholder key of a local server is no secret: masking it would spoil the answer", async () => {
    using folder = projectFolder();
    const local = { base_url: "http://localhost:1234/v1", models: [{ id: "m" }] };
    folder.write(userFile(folder.home), {
      providers: {
        lm: { ...local, api_key: "lm-studio" },
        other: { ...local, api_key: "sk-123-real" },
        far: { ...local, base_url: "https://far.test", api_key: "passphrase" },
        short: { ...local, base_url: "https://far.test", api_key: "12345" },
      },
    });
    expect([...(await folder.load()).secrets].sort()).toEqual(["passphrase", "sk-123-real"]);
  });

  test("demo is built in and cannot be configured", async () => {
    using folder = projectFolder();
    folder.write("crush.json", { providers: { demo: { base_url: "http://127.0.0.1:1" } } });
    const config = await folder.load();
    expect(config.providers.get("demo")?.type).toBe("demo");
    expect(config.warnings.map(folder.plain)).toEqual([
      "ROOT/crush.json:1:22: providers.demo is ignored: demo is built in",
    ]);
  });
});
