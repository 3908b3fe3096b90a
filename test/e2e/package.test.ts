import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  version: string;
};

const temporary = mkdtempSync(join(tmpdir(), "crush-package-"));
const prefix = join(temporary, "prefix");
const crush = join(prefix, "bin/crush");
const env = { PATH: process.env["PATH"], HOME: join(temporary, "home") };
let tarball = "";
let packed: readonly string[] = [];

// What npm would publish, installed for the whole machine as a user would.
beforeAll(async () => {
  mkdirSync(env.HOME);
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", temporary];
  const { stdout } = await run("npm", pack, { cwd: ROOT });
  const [made] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(temporary, made.filename);
  packed = made.files.map(({ path }) => path);
  const install = ["install", "--global", "--prefer-offline", "--prefix", prefix];
  await run("npm", [...install, tarball], { cwd: temporary });
}, 120_000);

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

test("the package has the program, its notices and no sources", () => {
  for (const file of ["bin/crush", "dist/crush.cjs", "dist/loader.cjs", "LICENSE", "README.md"])
    expect(packed).toContain(file);
  expect(packed).toContain("dist/THIRD_PARTY_LICENSES.txt");
  expect(packed.filter((file) => /^(src|test|scripts|node_modules)\//.test(file))).toEqual([]);
});

test("the installed program tells its version", async () => {
  const { stdout, stderr } = await run(crush, ["--version"], { cwd: env.HOME, env });
  expect([stdout.trim(), stderr]).toEqual([`crush-run ${manifest.version}`, ""]);
});

test("the installed program answers in an empty folder, offline", async () => {
  const work = mkdtempSync(join(temporary, "work-"));
  const args = ["run", "--quiet", "--model", "demo/offline", "What is in this folder?"];
  const child = run(crush, args, { cwd: work, env });
  child.child.stdin?.end();
  const { stdout, stderr } = await child;
  expect(stdout.trim()).not.toBe("");
  expect(stderr).toBe("");
  expect(readdirSync(work).filter((name) => name !== ".crush")).toEqual([]);
});

test("the man page is in the package and in the place where man looks for it", () => {
  expect(packed).toContain("dist/crush.1");
  const page = readFileSync(join(prefix, "share/man/man1/crush.1"), "utf8");
  expect(page).toContain(`crush\\-run ${manifest.version}`);
});

test("the binaries that are not bundled are installed with it", () => {
  const modules = join(prefix, "lib/node_modules/crush-run/node_modules");
  expect(existsSync(join(modules, "@photostructure/sqlite"))).toBe(true);
  expect(existsSync(join(modules, "@vscode/ripgrep"))).toBe(true);
});

test("publint finds nothing to say about the package", async () => {
  const { buffer } = readFileSync(tarball);
  const { messages, pkg } = await publint({ strict: true, pack: { tarball: buffer } });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});
