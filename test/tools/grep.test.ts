import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { grepTool } from "../../src/tools/grep.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { call, tempDirectory } from "../support/tool-context.ts";

function plant(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}

test("matches come back as path, line and text, in order of the paths", async () => {
  using temp = tempDirectory();
  plant(temp.path, {
    "src/b.ts": "no\nqueue one\n",
    "src/a:1:x.ts": "a queue\r\n",
    ".hidden": "queue",
    "image.bin": "queue\0",
  });
  expect(await call(grepTool, temp.path, { pattern: "queue" })).toEqual({
    content: ".hidden:1: queue\nsrc/a:1:x.ts:1: a queue\nsrc/b.ts:2: queue one",
    isError: false,
    truncated: false,
    metadata: { matches: 3 },
  });
});

test("path and include narrow the search; literal takes the pattern as text", async () => {
  using temp = tempDirectory();
  plant(temp.path, {
    "a/x.ts": "f(x)",
    "a/x.js": "f(x)",
    "a/b/y.ts": "f(x)",
    "c/x.ts": "f(x) f.x.",
  });
  const found = async (input: JsonObject): Promise<string> =>
    (await call(grepTool, temp.path, input)).content;
  expect(await found({ pattern: "f(x)", path: "c" })).toBe("no match");
  expect(await found({ pattern: "f(x)", path: "c", literal: true })).toBe("c/x.ts:1: f(x) f.x.");
  expect(await found({ pattern: "--f|x", path: "a/x.js" })).toBe("a/x.js:1: f(x)");
  expect(await found({ pattern: "x", include: "*.{ts,rs}", path: "a" })).toBe(
    "a/b/y.ts:1: f(x)\na/x.ts:1: f(x)",
  );
  expect(await found({ pattern: "x", include: "a/*.ts" })).toBe("a/x.ts:1: f(x)");
});

test(".gitignore counts, whatever include says", async () => {
  using temp = tempDirectory();
  plant(temp.path, {
    ".gitignore": "*.log\ndist/\n",
    "a.log": "word",
    "dist/b.txt": "word",
    "c.txt": "word",
  });
  expect((await call(grepTool, temp.path, { pattern: "word" })).content).toBe("c.txt:1: word");
  expect((await call(grepTool, temp.path, { pattern: "word", include: "*.log" })).content).toBe(
    "no match",
  );
});

test("an invalid expression comes back with the search program's words", async () => {
  using temp = tempDirectory();
  const result = await call(grepTool, temp.path, { pattern: "a(b" });
  expect(result.isError).toBe(true);
  expect(result.content).toMatch(/^grep: .*regex parse error/s);
  expect(result.content).toContain("unclosed group");
});

test("many matches and long lines are cut with a note", async () => {
  using temp = tempDirectory();
  plant(temp.path, { many: "word\n".repeat(300) });
  const many = await call(grepTool, temp.path, { pattern: "word" });
  expect(many.content.split("\n")).toHaveLength(201);
  expect(many.content).toMatch(/\n\[the first 200 of 300 matching lines; narrow/);
  expect(many.truncated).toBe(true);
  plant(temp.path, { many: `word ${"é".repeat(3000)}\n`.repeat(150) });
  const long = await call(grepTool, temp.path, { pattern: "word" });
  expect(Buffer.byteLength(long.content)).toBeLessThanOrEqual(32 * 1024);
  expect(long.content).toContain("[line cut:");
  expect(long.content).toMatch(/\n\[the first \d+ of 150 matching lines/);
});

test("endless matches end the search early", async () => {
  using temp = tempDirectory();
  for (let at = 0; at < 4; at += 1)
    plant(temp.path, { [`f${at}`]: `${"word".repeat(250)}\n`.repeat(1000) });
  const result = await call(grepTool, temp.path, { pattern: "word" });
  expect(result.content).toMatch(/\n\[the first \d+ of more than \d+ matching lines/);
});

test("a pipe in the tree does not block, and a path that is one is refused", async () => {
  using temp = tempDirectory();
  execFileSync("mkfifo", [join(temp.path, "fifo")]);
  plant(temp.path, { f: "word" });
  expect((await call(grepTool, temp.path, { pattern: "word" })).content).toBe("f:1: word");
  expect(await call(grepTool, temp.path, { pattern: "word", path: "fifo" })).toMatchObject({
    isError: true,
  });
  expect(await call(grepTool, temp.path, { pattern: "word", path: "/etc" })).toMatchObject({
    denied: { rule: "outside_working_directory" },
  });
  expect(await call(grepTool, temp.path, { pattern: "word", path: "none" })).toMatchObject({
    isError: true,
  });
});
