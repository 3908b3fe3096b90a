import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { globTool } from "../../src/tools/glob.ts";
import { call, tempDirectory } from "../support/tool-context.ts";

/** Each file is a minute older than the one before it. */
function plant(root: string, names: readonly string[]): void {
  const now = Date.now() / 1000;
  for (const [age, name] of names.entries()) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
    utimesSync(path, now, now - 60 * age);
  }
}

test("files that match come back newest first, hidden ones too", async () => {
  using temp = tempDirectory();
  plant(temp.path, ["src/b.ts", "a.ts", ".ci/run.ts", "src/c.js", "src/deep/d.ts"]);
  const found = async (input: { pattern: string; path?: string }): Promise<string[]> =>
    (await call(globTool, temp.path, input)).content.split("\n");
  expect(await found({ pattern: "**/*.ts" })).toEqual([
    "src/b.ts",
    "a.ts",
    ".ci/run.ts",
    "src/deep/d.ts",
  ]);
  expect(await found({ pattern: "*.ts" })).toEqual(["a.ts"]);
  expect(await found({ pattern: "./src/*.{js,ts}" })).toEqual(["src/b.ts", "src/c.js"]);
  expect(await found({ pattern: "*.ts", path: "src" })).toEqual(["src/b.ts"]);
  expect(await found({ pattern: "*.rs" })).toEqual(["no file matches"]);
});

test("what .gitignore names is left out, and links are not followed", async () => {
  using temp = tempDirectory();
  plant(temp.path, ["dist/a.ts", "b.ts", ".git/c.ts"]);
  writeFileSync(join(temp.path, ".gitignore"), "dist\n");
  symlinkSync("..", join(temp.path, "up"));
  expect((await call(globTool, temp.path, { pattern: "**/*.ts" })).content).toBe("b.ts");
});

test("at most 200 paths come back, the newest, with a note", async () => {
  using temp = tempDirectory();
  plant(
    temp.path,
    Array.from({ length: 205 }, (_, at) => `f${at}`),
  );
  const { content, truncated } = await call(globTool, temp.path, { pattern: "f*" });
  const lines = content.split("\n");
  expect(lines.slice(0, 2)).toEqual(["f0", "f1"]);
  expect(lines).toHaveLength(201);
  expect(lines.at(-1)).toBe("[the newest 200 of 205; narrow the pattern or give a path]");
  expect(truncated).toBe(true);
});

test("a path that is a file, missing or outside is refused", async () => {
  using temp = tempDirectory();
  plant(temp.path, ["f"]);
  const at = (path: string): Promise<unknown> => call(globTool, temp.path, { pattern: "*", path });
  expect(await at("f")).toMatchObject({ isError: true, content: "glob: f is not a directory" });
  expect(await at("none")).toMatchObject({ isError: true });
  expect(await at("..")).toMatchObject({ denied: { rule: "outside_working_directory" } });
});
