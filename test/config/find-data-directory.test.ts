import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  findDataDirectory,
  type FoundDataDirectory,
} from "../../src/config/find-data-directory.ts";
import { failureOf, projectFolder, textOf, type ProjectFolder } from "../support/project-folder.ts";

async function found(
  folder: ProjectFolder,
  more: {
    cwd?: string;
    dataDir?: string;
    trustConfig?: boolean;
    isolated?: boolean;
    configFile?: string;
  } = {},
): Promise<FoundDataDirectory> {
  const { path, warnings, isCertain } = await findDataDirectory({
    cwd: folder.root,
    env: { HOME: folder.home },
    ...more,
  });
  return { path: folder.plain(path), warnings: warnings.map(folder.plain), isCertain };
}

const away = { options: { data_directory: "../elsewhere" } };

test("the data directory is that of the flag, of the configuration, the nearest .crush, one in the working directory", async () => {
  using folder = projectFolder();
  const cwd = join(folder.root, "deep/er");
  mkdirSync(cwd, { recursive: true });
  expect((await found(folder, { cwd })).path).toBe("ROOT/deep/er/.crush");
  mkdirSync(join(folder.root, ".crush"));
  expect((await found(folder, { cwd })).path).toBe("ROOT/.crush");
  mkdirSync(join(folder.root, "deep/.crush"));
  expect((await found(folder, { cwd })).path).toBe("ROOT/deep/.crush");
  folder.write("crush.json", { options: { data_directory: "data" } });
  expect((await found(folder, { cwd })).path).toBe("ROOT/deep/er/data");
  expect((await found(folder, { cwd, dataDir: "../own" })).path).toBe("ROOT/deep/own");
  expect((await folder.load({ cwd })).dataDirectory).toBe(join(cwd, "data"));
});

test("a configuration that no run would start with still leads to the data directory", async () => {
  using folder = projectFolder();
  folder.write("crush.json", {
    options: { data_directory: "data" },
    providers: { x: { type: "nonsense", api_key: "$(" } },
    mcp: { m: { command: "m" } },
  });
  expect((await folder.failure()).reason).toBe("invalid_config");
  expect(await found(folder)).toEqual({ path: "ROOT/data", warnings: [], isCertain: true });
});

test("a file that cannot be read is passed over with a warning", async () => {
  using folder = projectFolder();
  folder.write(join(folder.home, ".config/crush/crush.json"), "[1]");
  folder.write("crush.json", '{"options": {"data_directory": "data"}}');
  folder.write(".crush.json", "{");
  expect(await found(folder)).toEqual({
    path: "ROOT/data",
    isCertain: false,
    warnings: [
      "HOME/.config/crush/crush.json is passed over: HOME/.config/crush/crush.json:1:1: must hold a JSON object",
      "ROOT/.crush.json is passed over: ROOT/.crush.json:1:2: invalid JSON: close brace expected",
    ],
  });
});

test("a script beside the configuration is no news to whoever looks for the data directory", async () => {
  using folder = projectFolder();
  folder.write("crushrc", "option data_directory data");
  expect((await found(folder)).warnings).toEqual([]);
  expect((await folder.load()).warnings.map(folder.plain)).toEqual([
    expect.stringContaining("ROOT/crushrc is skipped"),
  ]);
});

test("a project's file cannot lead out of the project, unless it is trusted", async () => {
  using folder = projectFolder();
  folder.write("crush.json", away);
  const refused = textOf(await failureOf(found(folder)), folder.plain);
  expect(refused).toMatchObject({ reason: "invalid_config" });
  expect(refused.message).toContain("options.data_directory leads out of the project");
  expect(refused).toEqual(await folder.failure());
  expect((await found(folder, { trustConfig: true })).path).not.toContain("ROOT");
  expect((await found(folder, { dataDir: "own" })).path).toBe("ROOT/own");
  folder.write(join(folder.home, ".config/crush/crush.json"), {
    trusted_directories: [folder.root],
  });
  expect((await found(folder)).path).toContain("/elsewhere");
});

test("a later file with nonsense for a data directory does not hide one that leads out", async () => {
  using folder = projectFolder();
  folder.write("crush.json", away);
  folder.write(".crush.json", { options: { data_directory: 5 } });
  expect((await failureOf(found(folder))).message).toContain("leads out of the project");
});

test("a .crush that is a link out of the project is refused", async () => {
  using folder = projectFolder();
  symlinkSync(folder.home, join(folder.root, ".crush"));
  const refused = textOf(await failureOf(found(folder)), folder.plain);
  expect(refused.message).toBe(
    "ROOT/.crush is a link that leads out of the project, and this directory is not trusted",
  );
});

test("a working directory that is not there is refused", async () => {
  using folder = projectFolder();
  expect(await failureOf(found(folder, { cwd: join(folder.root, "none") }))).toMatchObject({
    reason: "usage",
  });
});

test("what counts for an isolated run, and for one with a configuration of its own, counts here", async () => {
  using folder = projectFolder();
  folder.write("crush.json", { options: { data_directory: "data" } });
  const configFile = folder.write("ci.json", { options: { data_directory: "ci" } });
  expect((await found(folder, { isolated: true })).path).toBe("ROOT/.crush");
  expect((await found(folder, { configFile })).path).toBe("ROOT/ci");
  expect((await found(folder, { isolated: true, configFile })).path).toBe("ROOT/ci");
  folder.write("ci.json", "{");
  expect(await found(folder, { isolated: true, configFile })).toMatchObject({
    path: "ROOT/.crush",
    warnings: [expect.stringContaining("ROOT/ci.json is passed over")],
  });
});
