import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { lsTool } from "../../src/tools/ls.ts";
import { call, tempDirectory } from "../support/tool-context.ts";

function plant(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}

test("a directory is shown as a tree", async () => {
  using temp = tempDirectory();
  plant(temp.path, { "b.txt": "", "a/deep/x.ts": "", "a/y.ts": "", ".hidden": "" });
  symlinkSync("/etc", join(temp.path, "link"));
  expect(await call(lsTool, temp.path, {})).toEqual({
    content: [
      "./",
      "  .hidden",
      "  a/",
      "    deep/",
      "      x.ts",
      "    y.ts",
      "  b.txt",
      "  link@",
    ].join("\n"),
    isError: false,
    truncated: false,
    metadata: { path: ".", entries: 7 },
  });
});

test("depth limits the levels and ignore leaves names out", async () => {
  using temp = tempDirectory();
  plant(temp.path, { "src/a/b/c": "", "src/x.log": "", "src/y": "" });
  const { content } = await call(lsTool, temp.path, { path: "src", depth: 1, ignore: ["*.log"] });
  expect(content).toBe("src/\n  a/\n  y");
});

test(".gitignore files count, those of deeper directories more, and .git is never listed", async () => {
  using temp = tempDirectory();
  plant(temp.path, {
    ".git/config": "",
    ".gitignore": "node_modules/\n*.log\n/only-top\n",
    "node_modules/x/index.js": "",
    "a.log": "",
    "only-top": "",
    "sub/.gitignore": "!keep.log\nown\n",
    "sub/keep.log": "",
    "sub/drop.log": "",
    "sub/own": "",
    "sub/only-top": "",
  });
  expect((await call(lsTool, temp.path, {})).content).toBe(
    "./\n  .gitignore\n  sub/\n    .gitignore\n    keep.log\n    only-top",
  );
  // Seen from below, the files above still count; what the caller leaves out stays out.
  expect((await call(lsTool, join(temp.path, "sub"), { ignore: ["keep.log"] })).content).toBe(
    "./\n  .gitignore\n  only-top",
  );
});

test("a .gitignore that is a pipe does not block", async () => {
  using temp = tempDirectory();
  execFileSync("mkfifo", [join(temp.path, ".gitignore")]);
  expect((await call(lsTool, temp.path, {})).content).toBe("./\n  .gitignore=");
});

test("of a large directory the first 1,000 entries are shown, those nearest the top first", async () => {
  using temp = tempDirectory();
  mkdirSync(join(temp.path, "a"));
  for (let at = 0; at < 1100; at += 1) writeFileSync(join(temp.path, "a", `f${at}`), "");
  writeFileSync(join(temp.path, "z"), "");
  const { content, truncated } = await call(lsTool, temp.path, {});
  expect(content.split("\n")).toHaveLength(1 + 1000 + 1);
  expect(content).toContain("\n  z\n");
  expect(content).toContain("[only the first 1000 entries");
  expect(truncated).toBe(true);
});

test("an empty directory, a file and a missing directory are told apart", async () => {
  using temp = tempDirectory();
  expect((await call(lsTool, temp.path, {})).content).toBe("./\n[empty]");
  plant(temp.path, { f: "" });
  expect(await call(lsTool, temp.path, { path: "f" })).toMatchObject({
    isError: true,
    content: "ls: f is not a directory; use view",
  });
  expect(await call(lsTool, temp.path, { path: "none" })).toMatchObject({
    isError: true,
    content: `ls: no such file or directory: ${join(temp.path, "none")}`,
  });
  expect(await call(lsTool, temp.path, { path: "/" })).toMatchObject({
    denied: { rule: "outside_working_directory" },
  });
});
