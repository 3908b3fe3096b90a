import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectFolder, type ProjectFolder } from "../support/project-folder.ts";

const tools = (...names: string[]) => ({ options: { disabled_tools: names } });

/** Everything that a run finds by itself. */
function everywhere(folder: ProjectFolder): void {
  const { home } = folder;
  folder.write(`${home}/.config/crush/crush.json`, tools("user"));
  folder.write(`${home}/.config/crush/CRUSH.md`, "user's wish");
  folder.write(`${home}/.config/AGENTS.md`, "user's agents");
  folder.write(`${home}/.local/share/crush/crush.json`, tools("data"));
  folder.write("crush.json", { ...tools("root"), options: { context_paths: ["style.md"] } });
  folder.write(".crush.json", tools("hidden"));
  folder.write(".crush/crush.json", tools("workspace"));
  folder.write("crushrc", "echo hi");
  folder.write("AGENTS.md", "project's wish");
  folder.write("style.md", "project's style");
}

describe("an isolated run", () => {
  test("reads no configuration and no context file, and warns of none", async () => {
    using folder = projectFolder();
    everywhere(folder);
    const usual = await folder.load();
    expect(usual.sources).toHaveLength(5);
    expect(usual.contextFiles).toHaveLength(4);
    const { sources, contextFiles, disabledTools, warnings } = await folder.load({
      isolated: true,
    });
    expect({ sources, contextFiles, disabledTools, warnings }).toEqual({
      sources: [],
      contextFiles: [],
      disabledTools: new Set(),
      warnings: [],
    });
  });

  test("is not hindered by a project's configuration that is broken or not trusted", async () => {
    using folder = projectFolder();
    folder.write("crush.json", "{");
    folder.write(".crush.json", { mcp: { x: { type: "stdio", command: "x" } } });
    expect((await folder.load({ isolated: true })).sources).toEqual([]);
  });

  test("has the built-in providers with the keys of the environment", async () => {
    using folder = projectFolder();
    const config = await folder.load({ isolated: true, env: { OPENAI_API_KEY: "sk-isolated" } });
    expect(config.large?.provider).toMatchObject({ id: "openai", apiKey: "sk-isolated" });
    expect(config.secrets).toEqual(["sk-isolated"]);
  });

  test("keeps its records where every run of the directory does", async () => {
    using folder = projectFolder();
    folder.write(".crush/keep", "");
    folder.write(`${folder.home}/.config/crush/crush.json`, { options: { data_directory: "x" } });
    const nearest = await folder.load({ isolated: true });
    expect(folder.plain(nearest.dataDirectory)).toBe("ROOT/.crush");
    const named = await folder.load({ isolated: true, dataDir: "kept" });
    expect(folder.plain(named.dataDirectory)).toBe("ROOT/kept");
  });

  test("reads the one configuration that is named, with the context files that it names", async () => {
    using folder = projectFolder();
    everywhere(folder);
    const configFile = folder.write("ci/settings.json", {
      options: { disabled_tools: ["named"], context_paths: ["style.md"] },
    });
    const config = await folder.load({ isolated: true, configFile });
    expect(config.sources).toEqual([configFile]);
    expect([...config.disabledTools]).toEqual(["named"]);
    expect(config.contextFiles).toEqual([{ path: "style.md", content: "project's style" }]);
  });
});

describe("a configuration that is named", () => {
  test("is merged over all others", async () => {
    using folder = projectFolder();
    everywhere(folder);
    const configFile = folder.write("ci.json", {
      options: { disabled_tools: ["named"], data_directory: "kept" },
    });
    const config = await folder.load({ configFile });
    expect(config.sources.at(-1)).toBe(configFile);
    expect([...config.disabledTools]).toEqual(["user", "data", "hidden", "named"]);
    expect(folder.plain(config.dataDirectory)).toBe("ROOT/kept");
  });

  test("is trusted, also when the project has it, and counts once", async () => {
    using folder = projectFolder();
    const mcp = { mcp: { x: { type: "stdio", command: "x" } } };
    const own = folder.write("crush.json", { ...mcp, ...tools("once") });
    expect(await folder.failure()).toMatchObject({ reason: "invalid_config" });
    symlinkSync(folder.root, join(folder.home, "linked"));
    for (const configFile of [own, join(folder.home, "linked/crush.json")]) {
      const config = await folder.load({ configFile });
      expect([config.sources, [...config.disabledTools]]).toEqual([[configFile], ["once"]]);
    }
  });

  test("lends its trust to no other file", async () => {
    using folder = projectFolder();
    folder.write("crush.json", { mcp: { x: { type: "stdio", command: "x" } } });
    const configFile = folder.write("ci.json", { trusted_directories: [] });
    expect(await folder.failure({ configFile })).toMatchObject({ reason: "invalid_config" });
  });

  test("is refused when it is not there, and told with its place when it is wrong", async () => {
    using folder = projectFolder();
    expect(await folder.failure({ configFile: join(folder.root, "gone.json") })).toEqual({
      reason: "usage",
      message: "--config names ROOT/gone.json, which is not there",
      remedy: "name a configuration file that exists",
    });
    const wrong = folder.write("wrong.json", '{\n  "options": 1\n}');
    expect(await folder.failure({ configFile: wrong })).toMatchObject({
      reason: "invalid_config",
      message: expect.stringContaining("ROOT/wrong.json:2:") as string,
    });
  });

  test("may say nothing at all", async () => {
    using folder = projectFolder();
    const configFile = folder.write("empty.json", "// nothing\n");
    expect((await folder.load({ isolated: true, configFile })).sources).toEqual([configFile]);
  });
});
