import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { listModels } from "../../src/config/list-models.ts";
import { resolveModel } from "../../src/config/resolve-model.ts";
import { modelList, modelServer } from "../support/model-server.ts";
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

describe("servers that list their models", () => {
  test("a running Ollama serves when no provider has a key, or when it is named", async () => {
    using folder = projectFolder();
    await using ollama = await modelServer(modelList("qwen3:8b", "llama3:latest"));
    const alone = await folder.load({ env: { OLLAMA_HOST: ollama.host } });
    expect(ollama.requests).toHaveLength(0);
    expect(await refOf(alone, null)).toBe("ollama/llama3:latest");
    expect(await refOf(alone, "QWEN3:8b")).toBe("ollama/qwen3:8b");
    expect(ollama.requests).toHaveLength(1);

    const keyed = await folder.load({ env: { ...OPENAI, OLLAMA_HOST: ollama.host } });
    expect(await refOf(keyed, null)).toBe("openai/gpt-5.4");
    expect((await failed(folder, keyed, "qwen3:8b")).reason).toBe("unknown_model");
    expect(ollama.requests).toHaveLength(1);
    const chosen = await resolveModel(keyed, "ollama/llama3", "large", never);
    expect(chosen).toMatchObject({
      provider: { type: "openai-compat", baseUrl: ollama.url, apiKey: null },
      model: { id: "llama3:latest" },
    });
  });

  test("an Ollama that is named and does not run is unavailable", async () => {
    using folder = projectFolder();
    expect(await failed(folder, await folder.load({ env: NO_OLLAMA }), "ollama/llama3")).toEqual({
      reason: "provider_unavailable",
      message:
        "ollama: cannot list its models at http://127.0.0.1:1/v1/models: connection refused while connecting (127.0.0.1:1, ECONNREFUSED)",
      remedy: "start Ollama, or say with OLLAMA_HOST where it is",
    });
  });

  test("a custom provider without models is asked when it is selected, not before", async () => {
    using folder = projectFolder();
    await using server = await modelServer(modelList("b", "a"));
    const providers = { lm: { base_url: server.url, type: "lmstudio" } };
    folder.write("crush.json", { providers });
    const config = await folder.load();
    expect(config.large).toBeNull();
    expect(server.requests).toHaveLength(0);
    expect(await refOf(config, null)).toBe("lm/a");
    expect(await refOf(config, "b")).toBe("lm/b");
    expect(server.requests).toHaveLength(1);

    const keyed = await folder.load({ env: OPENAI });
    expect(await refOf(keyed, "gpt-5.4")).toBe("openai/gpt-5.4");
    expect(server.requests).toHaveLength(1);
    expect(await refOf(keyed, "b")).toBe("lm/b");
  });

  test("models that are listed come before those that are discovered, once each", async () => {
    using folder = projectFolder();
    await using server = await modelServer(modelList("a", "z"));
    const lm = { base_url: server.url, discover_models: true, models: [{ id: "z", name: "Zed" }] };
    folder.write("crush.json", { providers: { lm } });
    const { provider: found } = await resolveModel(await folder.load(), "lm/a", "large", never);
    expect(found.models.map(({ id, name }) => [id, name])).toEqual([
      ["z", "Zed"],
      ["a", "a"],
    ]);
  });

  test("a server with no models says so", async () => {
    using folder = projectFolder();
    await using server = await modelServer(modelList());
    folder.write("crush.json", { providers: { lm: { base_url: server.url } } });
    expect(await failed(folder, await folder.load(), null)).toEqual({
      reason: "provider_unavailable",
      message: "lm: the server lists no models",
      remedy: "load a model there, or list its models in providers.lm.models",
    });
  });
});

test("the list of models is sorted, asks the servers, and says why the rest is not usable", async () => {
  using folder = projectFolder();
  await using ollama = await modelServer(modelList("tiny"));
  folder.write("crush.json", {
    options: { disable_default_providers: true },
    providers: {
      z: provider("m", "k"),
      ollama: {},
      dead: { base_url: "http://127.0.0.1:1/v1", name: "Dead" },
      off: { disable: true },
    },
  });
  const config = await folder.load({ env: { OLLAMA_HOST: ollama.host } });
  const { usable, unusable } = await listModels(config, never);
  expect(usable.map(({ ref, providerName }) => [ref, providerName])).toEqual([
    ["demo/offline", "Demo"],
    ["ollama/tiny", "ollama"],
    ["z/k", "z"],
    ["z/m", "z"],
  ]);
  expect(unusable).toEqual([
    {
      id: "dead",
      name: "Dead",
      reason: "provider_unavailable",
      why: "cannot list its models at http://127.0.0.1:1/v1/models: connection refused while connecting (127.0.0.1:1, ECONNREFUSED)",
      remedy: "check that the server runs, or list its models in providers.dead.models",
    },
    {
      id: "off",
      name: "off",
      reason: "invalid_config",
      why: "the configuration disables it",
      remedy: "take providers.off.disable out of the configuration",
    },
  ]);
});

test("a key that stands in the address as well is not told with it", async () => {
  using folder = projectFolder();
  const relay = { base_url: "http://127.0.0.1:1/$RELAY_KEY/v1", api_key: "$RELAY_KEY" };
  folder.write(`${folder.home}/.config/crush/crush.json`, { providers: { relay } });
  const config = await folder.load({ env: { RELAY_KEY: "relay-0123456789" } });
  const { unusable } = await listModels(config, never);
  expect(unusable.find(({ id }) => id === "relay")?.why).toContain("http://127.0.0.1:1/***/v1");
});

test("an abort throws the signal's reason", async () => {
  using folder = projectFolder();
  await using silent = await modelServer(null);
  folder.write("crush.json", { providers: { lm: { base_url: silent.url } } });
  const config = await folder.load();
  const abort = new AbortController();
  const resolving = resolveModel(config, null, "large", abort.signal);
  abort.abort(new Error("enough"));
  await expect(resolving).rejects.toThrow("enough");
});
