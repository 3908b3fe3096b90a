import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace, FAKE_KEY, type CrushPlace, type Ended } from "../support/crush.ts";

const said = ({ status, stdout, stderr }: Ended, place: CrushPlace) => {
  const plain = (text: Buffer): string =>
    text.toString().replaceAll(place.work, "WORK").replaceAll(place.home, "HOME");
  return { status, stdout: plain(stdout), stderr: plain(stderr) };
};

const ADDRESS = { url: "http://127.0.0.1:9" };

test("config path tells every place, the strongest last, and where the data goes", async () => {
  await using place = crushPlace({ provider: ADDRESS });
  place.write("crush.json", "{ broken");
  const { status, stdout, stderr } = said(await place.run(["config", "path"]), place);
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout.split("\n").slice(1)).toEqual([
    "read     HOME/.config/crush/crush.json",
    "missing  HOME/.local/share/crush/crush.json",
    expect.stringMatching(/^broken {3}WORK\/crush\.json \(WORK\/crush\.json:1:3: invalid JSON/),
    "missing  WORK/.crush.json",
    "missing  WORK/.crush/crush.json",
    "missing  WORK/.crush (data directory)",
    "",
  ]);
});

test("config path --json follows --cwd and --data-dir", async () => {
  await using place = crushPlace();
  place.write("sub/crush.json", "{}");
  const asked = await place.run(["config", "path", "--json", "-c", "sub", "-D", "../kept"]);
  const { status, stdout } = said(asked, place);
  expect(status).toBe(0);
  const { files, data_directory } = JSON.parse(stdout);
  expect(data_directory).toEqual({ path: "WORK/kept", exists: false });
  expect(files.slice(-3)).toEqual([
    { path: "WORK/sub/crush.json", layer: "project", state: "read" },
    { path: "WORK/sub/.crush.json", layer: "project", state: "missing" },
    { path: "WORK/kept/crush.json", layer: "data_directory", state: "missing" },
  ]);
});

test("config show prints what is merged, and no key", async () => {
  await using place = crushPlace({ provider: ADDRESS });
  place.write("crush.json", '{\n  "options": { "disabled_tools": ["fetch"] }\n}');
  const { status, stdout, stderr } = said(await place.run(["config", "show"]), place);
  expect([status, stderr]).toEqual([0, ""]);
  const config = JSON.parse(stdout);
  expect(config.providers.fake.api_key).toBe("***");
  expect(config.options).toEqual({ disabled_tools: ["fetch"] });
  expect(stdout).not.toContain(FAKE_KEY.slice(0, 12));
});

test("config show --sources tells where each value stands", async () => {
  await using place = crushPlace({ provider: ADDRESS });
  place.write("crush.json", '{\n  "options": { "disabled_tools": ["fetch"] }\n}');
  const { stdout } = said(await place.run(["config", "show", "--sources"]), place);
  const { files, config, sources } = JSON.parse(stdout);
  expect(files).toEqual(["HOME/.config/crush/crush.json", "WORK/crush.json"]);
  expect(sources["options.disabled_tools[0]"]).toBe("WORK/crush.json:2:35");
  expect(sources["models.large.model"]).toMatch(/^HOME\/\.config\/crush\/crush\.json:1:\d+$/);
  expect(config.models.large.model).toBe("model");
});

test("config show of an untrusted project says that a run would be refused, and runs nothing", async () => {
  await using place = crushPlace({ provider: ADDRESS });
  place.write("crush.json", JSON.stringify({ env: { A: "$(touch ran)" } }));
  const { status, stdout, stderr } = said(await place.run(["config", "show"]), place);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).env).toEqual({ A: "$(***)" });
  expect(stderr).toMatch(/^warning: a run would be refused: WORK\/crush\.json:1:\d+: env\.A /);
  expect((await place.run(["config", "path"])).stdout.toString()).not.toContain("ran");
});

test("config show of a file that is no JSON is refused with its place", async () => {
  await using place = crushPlace({ configuration: '{ "models": [ }' });
  const { status, stdout, stderr } = said(await place.run(["config", "show"]), place);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^error: HOME\/\.config\/crush\/crush\.json:1:\d+: invalid JSON/);
});

test("config check of a good configuration says ok and names the files", async () => {
  await using place = crushPlace({ provider: ADDRESS });
  expect(said(await place.run(["config", "check"]), place)).toEqual({
    status: 0,
    stdout: "ok: HOME/.config/crush/crush.json\n",
    stderr: "",
  });
});

test("config check tells every mistake and every question of trust, and ends with 2", async () => {
  await using place = crushPlace({ configuration: '{\n  "models": { "large": 1 }\n}' });
  place.write("crush.json", '{ "optoins": {},\n  "env": { "PATH": "/x" } }');
  place.write(".crush.json", "[");
  const { status, stdout, stderr } = said(await place.run(["config", "check"]), place);
  expect(status).toBe(2);
  const lines = stdout.split("\n");
  expect(lines[0]).toBe(
    "error: HOME/.config/crush/crush.json:2:24: models.large must be an object, not 1; make models.large an object",
  );
  expect(lines[1]).toMatch(/^warning: WORK\/crush\.json:1:14: unknown field optoins .*options/);
  expect(lines[2]).toMatch(/^error: WORK\/\.crush\.json:1:\d+: invalid JSON.*; correct the file/);
  expect(lines[3]).toMatch(/^error: WORK\/crush\.json:2:20: env\.PATH .*--trust-config/);
  expect(stderr).toBe(
    "error: there are 3 mistakes in the configuration (invalid_config); standard output has a line with the remedy for each\n",
  );
});

test("config check --json gives file, line and column, and --trust-config answers the question", async () => {
  await using place = crushPlace();
  place.write("crush.json", '{ "env": { "A": "b" } }');
  const refused = said(await place.run(["config", "check", "--json"]), place);
  expect(refused.status).toBe(2);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    ok: false,
    findings: [{ severity: "error", kind: "trust", file: "WORK/crush.json", line: 1, column: 17 }],
  });
  const trusted = said(await place.run(["config", "check", "--json", "--trust-config"]), place);
  expect([trusted.status, trusted.stderr]).toEqual([0, ""]);
  expect(JSON.parse(trusted.stdout)).toMatchObject({ ok: true, findings: [] });
});

test("config schema prints a JSON Schema, whatever stands in the files", async () => {
  await using place = crushPlace({ configuration: "{" });
  const { status, stdout, stderr } = said(await place.run(["config", "schema"]), place);
  expect([status, stderr]).toEqual([0, ""]);
  const schema = JSON.parse(stdout);
  expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
  expect(schema.properties.options.additionalProperties).toBe(false);
});

test("config shows nothing of what a terminal would obey", async () => {
  await using place = crushPlace();
  writeFileSync(join(dirname(place.configFile), "crush.json"), '{ "a\\u001b[31mb": 1 }');
  const { status, stdout } = said(await place.run(["config", "check"]), place);
  expect(status).toBe(0);
  expect(stdout).not.toContain("\u001B");
  expect(stdout).toContain("unknown field");
});

test("config needs to be told what, and takes no words", async () => {
  await using place = crushPlace();
  const alone = said(await place.run(["config"]), place);
  expect([alone.status, alone.stdout]).toEqual([2, ""]);
  expect(alone.stderr).toContain("it is one of: path, show, check, schema");
  const wordy = said(await place.run(["config", "check", "x"]), place);
  expect([wordy.status, wordy.stderr]).toEqual([
    2,
    expect.stringContaining("crush config check takes no word"),
  ]);
  const flagged = said(await place.run(["config", "schema", "--json"]), place);
  expect([flagged.status, flagged.stderr]).toEqual([
    2,
    expect.stringContaining("unknown flag --json"),
  ]);
});
