import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { projectFolder } from "../support/project-folder.ts";

const tools = (...names: string[]) => ({ options: { disabled_tools: names } });

describe("places and order", () => {
  test("files are merged from the user's to the one nearest to the working directory", async () => {
    using folder = projectFolder();
    const { home } = folder;
    folder.write("sub/.crush/crush.json", tools("workspace"));
    folder.write("sub/.crush.json", tools("sub hidden"));
    folder.write("sub/crush.json", tools("sub"));
    folder.write("crush.json", tools("root"));
    folder.write(`${home}/.local/share/crush/crush.json`, tools("data"));
    folder.write(`${home}/.config/crush/crush.json`, tools("user"));
    const config = await folder.load({ cwd: join(folder.root, "sub") });
    expect(config.sources.map(folder.plain)).toEqual([
      "HOME/.config/crush/crush.json",
      "HOME/.local/share/crush/crush.json",
      "ROOT/crush.json",
      "ROOT/sub/crush.json",
      "ROOT/sub/.crush.json",
      "ROOT/sub/.crush/crush.json",
    ]);
    expect([...config.disabledTools]).toEqual([
      "user",
      "data",
      "root",
      "sub",
      "sub hidden",
      "workspace",
    ]);
    expect(config.workingDirectory).toBe(join(folder.root, "sub"));
  });

  test("CRUSH_GLOBAL_CONFIG and CRUSH_GLOBAL_DATA name other directories for the user's files", async () => {
    using folder = projectFolder();
    folder.write("../conf/crush.json", tools("a"));
    folder.write("../data/crush.json", tools("b"));
    const env = { CRUSH_GLOBAL_CONFIG: "../conf", CRUSH_GLOBAL_DATA: "../data" };
    expect([...(await folder.load({ env })).disabledTools]).toEqual(["a", "b"]);
  });

  test("nothing configured, an empty file, one of comments only and /dev/null are all no configuration", async () => {
    using folder = projectFolder();
    expect((await folder.load()).sources).toEqual([]);
    folder.write("crush.json", " \n");
    folder.write(".crush.json", "// nothing yet\n");
    mkdirSync(join(folder.home, ".config/crush"), { recursive: true });
    symlinkSync("/dev/null", join(folder.home, ".config/crush/crush.json"));
    expect((await folder.load()).sources).toEqual([]);
  });

  test("no home directory is no failure", async () => {
    using folder = projectFolder();
    const config = await folder.load({ env: { HOME: "/nowhere" } });
    expect(config.warnings).toEqual([]);
  });

  test("comments, trailing commas and a byte order mark are accepted", async () => {
    using folder = projectFolder();
    folder.write(
      "crush.json",
      '\uFEFF{ // tools\n "options": {"disabled_tools": ["bash",],}, /* end */ }',
    );
    expect([...(await folder.load()).disabledTools]).toEqual(["bash"]);
  });

  test("conversations are summarised unless disable_auto_summarize says otherwise", async () => {
    using folder = projectFolder();
    expect((await folder.load()).autoSummarize).toBe(true);
    folder.write("crush.json", { options: { disable_auto_summarize: true } });
    expect(await folder.load()).toMatchObject({ autoSummarize: false, warnings: [] });
  });

  test("a crushrc is skipped with a warning", async () => {
    using folder = projectFolder();
    folder.write(".crushrc", "option debug true");
    folder.write(`${folder.home}/.config/crush/crushrc`, "");
    expect((await folder.load()).warnings.map(folder.plain)).toEqual([
      "HOME/.config/crush/crushrc is skipped: it is a Bash script, and this version reads only crush.json",
      "ROOT/.crushrc is skipped: it is a Bash script, and this version reads only crush.json",
    ]);
  });

  test("a project file of another user is skipped with a warning", async () => {
    using folder = projectFolder();
    const path = join(folder.root, "crush.json");
    // Only root can give a file away; for anybody else a link to a file of root does it.
    if (process.getuid?.() === 0)
      execFileSync("chown", ["12345", folder.write(path, tools("bash"))]);
    else symlinkSync("/etc/passwd", path);
    const config = await folder.load();
    expect(config.warnings.map(folder.plain)).toEqual([
      "ROOT/crush.json is skipped: it belongs to another user than ROOT",
    ]);
    expect(config.sources).toEqual([]);
  });
});

describe("data directory", () => {
  test("the flag wins over the configuration, and both are relative to the working directory", async () => {
    using folder = projectFolder();
    const cwd = join(folder.root, "sub");
    folder.write("sub/crush.json", { options: { data_directory: "store" } });
    expect((await folder.load({ cwd })).dataDirectory).toBe(join(cwd, "store"));
    expect((await folder.load({ cwd, dataDir: "../flag" })).dataDirectory).toBe(
      join(folder.root, "flag"),
    );
  });

  test("the nearest .crush directory up to the worktree's root serves, but never the home directory's", async () => {
    using folder = projectFolder();
    const cwd = join(folder.root, "a/b");
    mkdirSync(cwd, { recursive: true });
    expect((await folder.load({ cwd })).dataDirectory).toBe(join(cwd, ".crush"));
    mkdirSync(join(folder.root, ".crush"));
    expect((await folder.load({ cwd })).dataDirectory).toBe(join(folder.root, ".crush"));
    folder.write("a/.crush", "a file, not a directory");
    expect((await folder.load({ cwd })).dataDirectory).toBe(join(folder.root, ".crush"));
    const home = { env: { HOME: folder.root } };
    expect((await folder.load({ cwd, ...home })).dataDirectory).toBe(join(cwd, ".crush"));
  });
});

describe("mistakes", () => {
  test.each([
    [
      '{"options": {"disabled_tools": "bash"}}',
      "1:32: options.disabled_tools must be an array, not a string",
      "make options.disabled_tools an array",
    ],
    [
      '{\n "providers": {\n  "x": {"api_key": 5, "name": 6}}}',
      "3:31: providers.x.name must be a string, not 6 (and 1 more)",
      "make providers.x.name a string",
    ],
    [
      '{"providers":{"x":{"models":[{"id":"a"},{"name":"b"}]}}}',
      "1:41: providers.x.models[1].id must be a string, not missing",
      "make providers.x.models[1].id a string",
    ],
    [
      '{"providers":{"x":{"models":[{"id":""}]}}}',
      "1:36: providers.x.models[0].id must be a string that is not empty, not empty",
      "make providers.x.models[0].id a string that is not empty",
    ],
    [
      '{"models":{"large":{"max_tokens":-1}}}',
      "1:34: models.large.max_tokens must be a number from 0 up, not -1",
      "make models.large.max_tokens a number from 0 up",
    ],
    [
      '{"models":{"large":{"max_tokens":1.5}}}',
      "1:34: models.large.max_tokens must be a whole number, not 1.5",
      "make models.large.max_tokens a whole number",
    ],
    ['{"options":null}', "1:12: options must be an object, not null", "make options an object"],
    ['// c\n{"env":{"A":1}}', "2:13: env.A must be a string, not 1", "make env.A a string"],
    [
      '{"env":{"A":987654321}}',
      "1:13: env.A must be a string, not a number",
      "make env.A a string",
    ],
    [
      '{"models":{"large":{"model":"m"}}}',
      "1:20: models.large has no provider",
      'give models.large both "provider" and "model"',
    ],
    ['{"options": }', "1:13: invalid JSON: value expected", "correct the file at that place"],
    [
      '{"options": {}\n',
      "2:1: invalid JSON: close brace expected",
      "correct the file at that place",
    ],
    [
      "[]",
      "1:1: must hold a JSON object",
      'write the settings between { and }, for example {"options": {}}',
    ],
    [
      '{"providers":{"x":{"api_key":"$"}}}',
      "1:30: providers.x.api_key cannot be expanded: a lone $ (write \\$ or '$' for the character itself)",
      "quote or escape the special characters ($ ` \\ ' \")",
    ],
    [
      '{"permissions":{"denied_tools":["bash"]}}',
      "1:32: permissions.denied_tools is a permission rule that this version cannot carry out",
      "take it out, or forbid tools with options.disabled_tools",
    ],
    [
      '{"hooks":{"PreToolUse":[{"command":"./check"}]}}',
      "1:24: hooks.PreToolUse: hooks cannot be carried out by this version",
      "take the hook out; a run that skipped it would allow what it forbids",
    ],
  ])("%s", async (text, message, remedy) => {
    using folder = projectFolder();
    folder.write(`${folder.home}/.config/crush/crush.json`, text);
    expect(await folder.failure()).toEqual({
      reason: "invalid_config",
      message: `HOME/.config/crush/crush.json:${message}`,
      remedy,
    });
  });

  test("a directory where a file should be is refused, and a FIFO keeps nobody waiting", async () => {
    using folder = projectFolder();
    const remedy = "put a JSON file there or take it away";
    const refused = { reason: "invalid_config", message: "ROOT/crush.json is not a file", remedy };
    mkdirSync(join(folder.root, "crush.json"));
    expect(await folder.failure()).toEqual(refused);
    using other = projectFolder();
    execFileSync("mkfifo", [join(other.root, "crush.json")]);
    expect(await other.failure()).toEqual(refused);
  });

  test("a file that cannot be opened is named", async () => {
    using folder = projectFolder();
    symlinkSync("crush.json", join(folder.root, "crush.json"));
    expect(await folder.failure()).toEqual({
      reason: "invalid_config",
      message: "cannot read ROOT/crush.json (ELOOP)",
      remedy: "make it readable for this user or take it away",
    });
  });

  test("a working directory that is not there is a usage error", async () => {
    using folder = projectFolder();
    const missing = join(folder.root, "none");
    const remedy = "name a directory that exists with --cwd";
    const message = "the working directory ROOT/none cannot be entered";
    expect(await folder.failure({ cwd: missing })).toEqual({ reason: "usage", message, remedy });
  });
});

test("what is unknown or not carried out is a warning with its place", async () => {
  using folder = projectFolder();
  folder.write(
    `${folder.home}/.config/crush/crush.json`,
    `{"option": {},
      "providers": {"openai": {"apikey": "x"}},
      "mcp": {"docs": {"command": "docs"}, "off": {"command": "off", "disabled": true}},
      "lsp": {"go": {"command": "gopls"}},
      "tools": {"ls": {"max_depth": 2}},
      "hooks": {"PostToolUse": [{"command": "x"}], "PreToolUse": []},
      "options": {"tui": {}, "debug": true, "attribution": {"trailer_style": "none"}},
      "provider": 1}`,
  );
  folder.write("crush.json", { trusted_directories: ["/"] });
  const file = "HOME/.config/crush/crush.json";
  const config = await folder.load();
  expect(config.warnings.map(folder.plain)).toEqual([
    `${file}:1:12: unknown field option is ignored (did you mean options?)`,
    `${file}:8:19: unknown field provider is ignored (did you mean providers?)`,
    `${file}:2:42: unknown field providers.openai.apikey is ignored (did you mean api_key?)`,
    `${file}:6:32: hooks.PostToolUse is not an event that has hooks; it is ignored`,
    `${file}:3:23: mcp.docs is configured but not carried out by this version`,
    `${file}:4:21: lsp.go is configured but not carried out by this version`,
    `${file}:5:16: tools is configured but not carried out by this version`,
    `${file}:7:60: options.attribution is configured but not carried out by this version`,
    "ROOT/crush.json:1:24: trusted_directories counts only in your own configuration; it is ignored",
  ]);
});

test("env is expanded in the order of its names and seen by the providers", async () => {
  using folder = projectFolder();
  folder.write(`${folder.home}/.config/crush/crush.json`, {
    env: { B: "$A-b", A: "a$(echo 1)", OPENAI_API_KEY: "sk-from-$A" },
  });
  const config = await folder.load();
  expect(config.env).toEqual({ A: "a1", B: "a1-b", OPENAI_API_KEY: "sk-from-a1" });
  expect(config.providers.get("openai")?.apiKey).toBe("sk-from-a1");
});
