import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkConfig, type CheckedConfig } from "../../src/config/check-config.ts";
import { surveyConfig } from "../../src/config/survey.ts";
import { projectFolder, type ProjectFolder } from "../support/project-folder.ts";

type Env = Readonly<Record<string, string>>;

const check = async (
  folder: ProjectFolder,
  more: { readonly env?: Env; readonly trustConfig?: boolean } = {},
): Promise<CheckedConfig> =>
  await checkConfig({
    cwd: folder.root,
    env: { HOME: folder.home, ...more.env },
    trustConfig: more.trustConfig ?? false,
    signal: new AbortController().signal,
  });

const lines = (folder: ProjectFolder, { findings }: CheckedConfig): readonly string[] =>
  findings.map(({ severity, message }) => `${severity}: ${folder.plain(message)}`);

const USER = ".config/crush/crush.json";

describe("checking", () => {
  test("nothing configured has nothing to be said about", async () => {
    using folder = projectFolder();
    const checked = await check(folder);
    expect(checked.findings).toEqual([]);
    expect(checked.config?.workingDirectory).toBe(folder.root);
  });

  test("every mistake of every file is told, each with its place and remedy", async () => {
    using folder = projectFolder();
    folder.write(join(folder.home, USER), '{\n "models": {"large": {"model": 1}},\n "env": []\n}');
    folder.write("crush.json", '{"options": {"debug": tru}}');
    folder.write(".crush.json", {
      providers: { p: { base_url: "http://127.0.0.1:1/v1", api_key: "${" } },
      hooks: { PreToolUse: [{ command: "x" }] },
      mcp: { m: { command: "c" } },
      permissions: { forbid: ["bash"] },
    });
    const checked = await check(folder);
    expect(lines(folder, checked)).toEqual([
      "error: HOME/.config/crush/crush.json:2:32: models.large.model must be a string, not 1",
      "error: HOME/.config/crush/crush.json:3:9: env must be an object, not an array",
      "error: ROOT/crush.json:1:23: invalid JSON: invalid symbol",
      "error: ROOT/.crush.json:1:165: permissions.forbid is a permission rule that this version cannot carry out",
      expect.stringMatching(/^error: .*providers\.p\.api_key cannot be expanded: /),
      expect.stringMatching(/^error: .*models\.large has no provider$/),
      expect.stringMatching(/^error: .*hooks\.PreToolUse: hooks cannot be carried out/),
      expect.stringMatching(/^warning: .*mcp\.m is configured but not carried out/),
      expect.stringMatching(
        /^error: .*mcp\.m names a program or server to use, and this directory/,
      ),
    ]);
    for (const { severity, remedy } of checked.findings)
      expect(remedy === null).toBe(severity === "warning");
    expect(checked.config).toBeNull();
  });

  test("a question of trust is answered by --trust-config", async () => {
    using folder = projectFolder();
    folder.write("crush.json", { env: { PATH: "/x" }, mcp: { m: { command: "c" } } });
    const asked = await check(folder);
    expect(asked.findings.filter(({ kind }) => kind === "trust").length).toBe(2);
    const trusted = await check(folder, { trustConfig: true });
    expect(lines(folder, trusted)).toEqual([
      "warning: ROOT/crush.json:1:33: mcp.m is configured but not carried out by this version",
    ]);
    expect(trusted.config).not.toBeNull();
  });

  test("what only a whole configuration shows is told as well", async () => {
    using folder = projectFolder();
    folder.write(join(folder.home, USER), {
      models: { large: { provider: "nobody", model: "m" }, small: { provider: "p", model: "q" } },
      providers: {
        p: { base_url: "http://127.0.0.1:1/v1", models: [{ id: "m" }] },
        strange: { type: "telepathy" },
        off: { disable: true },
      },
    });
    expect(lines(folder, await check(folder))).toEqual([
      'warning: providers.strange: this version does not speak type "telepathy"',
      "error: HOME/.config/crush/crush.json:1:20: models.large selects nobody/m: there is no provider nobody",
      "warning: HOME/.config/crush/crush.json:1:62: models.small selects p/q: there is no such model of p",
    ]);
  });

  test("a model whose provider only lacks its key is a warning: the key is no part of the file", async () => {
    using folder = projectFolder();
    folder.write(join(folder.home, USER), {
      models: { large: { provider: "openai", model: "gpt-5.4" } },
    });
    const [finding] = (await check(folder)).findings;
    expect(finding).toMatchObject({ severity: "warning", kind: "model", reason: "auth_missing" });
    const withKey = await check(folder, { env: { OPENAI_API_KEY: "sk-test-0123456789" } });
    expect(withKey.findings).toEqual([]);
  });

  test("an `env` entry that cannot be expanded is an error", async () => {
    using folder = projectFolder();
    folder.write(join(folder.home, USER), { env: { A: "${B:?is needed}" } });
    expect(lines(folder, await check(folder))).toEqual([
      expect.stringContaining("env.A cannot be expanded"),
    ]);
  });

  test("whatever stands in the files, checking ends with findings and not with an exception", async () => {
    const names = fc.constantFrom(
      "models",
      "large",
      "providers",
      "openai",
      "api_key",
      "base_url",
      "extra_headers",
      "mcp",
      "lsp",
      "env",
      "hooks",
      "PreToolUse",
      "options",
      "data_directory",
      "permissions",
      "trusted_directories",
      "__proto__",
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.constantFrom<unknown>(null, true, 0, -1, "", "$X", "${", "`", "http://a/b", "scripted"),
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(names, tie("value"), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    const file = fc.dictionary(names, value, { maxKeys: 4, noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(file, file, async (user, project) => {
        using folder = projectFolder();
        folder.write(join(folder.home, USER), user);
        folder.write("crush.json", project);
        const { config, findings } = await check(folder);
        const wrong = findings.some(
          ({ severity, kind }) => severity === "error" && kind !== "model",
        );
        expect(config === null).toBe(wrong);
      }),
      { numRuns: 150 },
    );
  });
});

describe("looking for files", () => {
  const survey = async (
    folder: ProjectFolder,
    env: Env = {},
    more: { readonly isolated?: boolean; readonly configFile?: string } = {},
  ) => await surveyConfig({ cwd: folder.root, env: { HOME: folder.home, ...env }, ...more });
  const states = (folder: ProjectFolder, { places }: Awaited<ReturnType<typeof surveyConfig>>) =>
    places
      .filter(({ layer }) => layer !== "machine")
      .map(({ state, path }) => `${state} ${folder.plain(path)}`);

  test("each place is told with what is there, the weakest first", async () => {
    using folder = projectFolder();
    folder.write(join(folder.home, USER), "// nothing\n");
    folder.write("crush.json", { options: { data_directory: "data" } });
    folder.write(".crush.json", "{");
    folder.write("crushrc", "echo");
    const seen = await survey(folder);
    expect(states(folder, seen)).toEqual([
      "empty HOME/.config/crush/crush.json",
      "missing HOME/.local/share/crush/crush.json",
      "read ROOT/crush.json",
      "broken ROOT/.crush.json",
      "skipped ROOT/crushrc",
      "missing ROOT/data/crush.json",
    ]);
    expect(folder.plain(seen.dataDirectory)).toBe("ROOT/data");
    expect(seen.merged.options?.data_directory).toBe("data");
  });

  test("an isolated run looks nowhere but where it is told to, and what is named is read last", async () => {
    using folder = projectFolder();
    folder.write(join(folder.home, USER), {});
    const own = folder.write("crush.json", { options: { data_directory: "data" } });
    const configFile = folder.write("ci.json", { options: { data_directory: "ci" } });
    expect(states(folder, await survey(folder, {}, { isolated: true }))).toEqual([]);
    const alone = await survey(folder, {}, { isolated: true, configFile });
    expect(states(folder, alone)).toEqual(["read ROOT/ci.json"]);
    expect(folder.plain(alone.dataDirectory)).toBe("ROOT/ci");
    for (const more of [{ configFile }, { configFile: own }, { isolated: true, configFile }]) {
      const { files } = await survey(folder, {}, more);
      expect(files.map(({ path }) => path)).toEqual((await folder.load(more)).sources);
    }
    await expect(survey(folder, {}, { configFile: `${own}.gone` })).rejects.toThrow("--config");
  });

  test("a link that leads nowhere is told apart from no file", async () => {
    using folder = projectFolder();
    symlinkSync("nowhere", join(folder.root, "crush.json"));
    mkdirSync(join(folder.root, ".crush.json"));
    expect(states(folder, await survey(folder)).slice(2, 4)).toEqual([
      "empty ROOT/crush.json",
      "broken ROOT/.crush.json",
    ]);
  });

  test("a file that may not be read is broken, and the others are still told", async () => {
    using folder = projectFolder();
    const path = join(folder.home, USER);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "{}");
    chmodSync(path, 0);
    folder.write("crush.json", {});
    const [first] = states(folder, await survey(folder));
    const isRoot = process.getuid?.() === 0; // who reads everything
    expect(first).toBe(`${isRoot ? "read" : "broken"} HOME/.config/crush/crush.json`);
    expect(states(folder, await survey(folder))).toContain("read ROOT/crush.json");
  });
});
