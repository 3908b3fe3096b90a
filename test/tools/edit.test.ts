import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyEdit, editTool } from "../../src/tools/edit.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { ToolContext, ToolResult } from "../../src/tools/tool.ts";
import { viewTool } from "../../src/tools/view.ts";
import { tempDirectory, toolContext } from "../support/tool-context.ts";

/** A directory with one file `f`, which the session has read. */
async function readFileOf(content: string | Buffer): Promise<
  {
    readonly path: string;
    readonly context: ToolContext;
    readonly edit: (input: JsonObject) => Promise<ToolResult>;
    readonly content: () => string;
  } & Disposable
> {
  const temp = tempDirectory();
  const path = join(temp.path, "f");
  const context = toolContext(temp.path);
  writeFileSync(path, content);
  await viewTool.run({ file_path: "f" }, context);
  return {
    path,
    context,
    edit: (input) => editTool.run({ file_path: "f", ...input }, context),
    content: () => readFileSync(path, "utf8"),
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

test("a piece of a file is replaced, and the result shows what changed", async () => {
  using file = await readFileOf("one\ntwo\nthree\n");
  const result = await file.edit({ old_string: "two", new_string: "2" });
  expect(result).toEqual({
    content: "edited f\n--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
    isError: false,
    truncated: false,
    metadata: { path: "f", replacements: 1 },
  });
  expect(file.content()).toBe("one\n2\nthree\n");
  // What it wrote counts as read.
  expect(await file.edit({ old_string: "2", new_string: "II" })).toMatchObject({ isError: false });
});

test("a piece that is not there, or there more than once, is refused unless all are meant", async () => {
  using file = await readFileOf("a b a\n");
  expect((await file.edit({ old_string: "c", new_string: "d" })).content).toBe(
    "edit: f does not contain old_string; view the part you mean again",
  );
  expect((await file.edit({ old_string: "a", new_string: "d" })).content).toMatch(
    /f contains old_string 2 times; add lines/,
  );
  expect((await file.edit({ old_string: "a", new_string: "a" })).isError).toBe(true);
  expect(file.content()).toBe("a b a\n");
  const all = await file.edit({ old_string: "a", new_string: "d", replace_all: true });
  expect(all.content).toMatch(/^edited f \(2 places\)\n/);
  expect(file.content()).toBe("d b d\n");
});

test("a file that was not read, or has changed since, is refused with the reason", async () => {
  using file = await readFileOf("one\n");
  const stranger = toolContext(file.context.cwd);
  const input = { file_path: "f", old_string: "one", new_string: "1" };
  expect((await editTool.run(input, stranger)).content).toBe(
    "edit: f has not been read in this session; view it first",
  );
  writeFileSync(file.path, "one more\n");
  expect((await file.edit(input)).content).toBe(
    "edit: f has changed since it was last read; view it again",
  );
  expect(file.content()).toBe("one more\n");
});

test("an empty old_string creates a file and its directories, and never touches one that exists", async () => {
  using file = await readFileOf("");
  const result = await editTool.run(
    { file_path: "new/dir/g", old_string: "", new_string: "hello\n" },
    file.context,
  );
  expect(result.content).toBe(
    "created new/dir/g\n--- a/new/dir/g\n+++ b/new/dir/g\n@@ -0,0 +1,1 @@\n+hello\n",
  );
  expect(readFileSync(join(file.context.cwd, "new/dir/g"), "utf8")).toBe("hello\n");
  expect((await file.edit({ old_string: "", new_string: "x" })).content).toContain(
    "exists already",
  );
  expect(
    (await editTool.run({ file_path: "none", old_string: "x", new_string: "y" }, file.context))
      .content,
  ).toBe("edit: none does not exist; to create it leave old_string empty");
});

test("CRLF line endings and the byte order mark are kept", async () => {
  using file = await readFileOf("\uFEFFone\r\ntwo\r\nthree\r\n");
  await file.edit({ old_string: "one\ntwo\n", new_string: "1\n2\n2.5\n" });
  expect(file.content()).toBe("\uFEFF1\r\n2\r\n2.5\r\nthree\r\n");
  await file.edit({ old_string: "three", new_string: "3\r\n4" });
  expect(file.content()).toBe("\uFEFF1\r\n2\r\n2.5\r\n3\r\n4\r\n");
});

test("in a file of mixed line endings the strings mean what they say", async () => {
  using file = await readFileOf("one\r\ntwo\nthree\n");
  await file.edit({ old_string: "two\nthree", new_string: "2\n3" });
  expect(file.content()).toBe("one\r\n2\n3\n");
});

test("the mode is kept and no temporary file is left", async () => {
  using file = await readFileOf("one\n");
  chmodSync(file.path, 0o751);
  await file.edit({ old_string: "one", new_string: "1" });
  expect(statSync(file.path).mode & 0o7777).toBe(0o751);
  expect(readdirSync(file.context.cwd)).toEqual(["f"]);
});

test("an edit through a symbolic link changes its target and keeps the link", async () => {
  using file = await readFileOf("one\n");
  symlinkSync("f", join(file.context.cwd, "link"));
  const input = { file_path: "link", old_string: "one", new_string: "1" };
  expect((await editTool.run(input, file.context)).content).toMatch(/^edited f\n/);
  expect(file.content()).toBe("1\n");
});

test("binary, not UTF-8, a directory and a path outside are refused", async () => {
  using file = await readFileOf(Buffer.from("caf\xe9\n", "latin1"));
  expect((await file.edit({ old_string: "caf", new_string: "tea" })).content).toBe(
    "edit: f is not UTF-8 text; change it with bash",
  );
  expect(readFileSync(file.path, "latin1")).toBe("caf\xe9\n");
  mkdirSync(join(file.context.cwd, "d"));
  const at = (file_path: string): Promise<ToolResult> =>
    editTool.run({ file_path, old_string: "x", new_string: "y" }, file.context);
  expect((await at("d")).content).toBe("edit: d is a directory");
  expect((await at("d/../../x")).denied?.rule).toBe("outside_working_directory");
  expect((await at("f/x")).isError).toBe(true);
});

test("an edit is the replacement of a string, nothing more", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "ab", "", "$&", "é"), { maxLength: 8 });
  const replacement = fc.oneof(fc.string(), fc.constantFrom("$&", "$1", "$$"));
  fc.assert(
    fc.property(lines, lines, replacement, fc.boolean(), (before, after, middle, crlf) => {
      fc.pre(!/[\r\n]/.test(middle));
      const eol = crlf ? "\r\n" : "\n";
      const file = (text: string): string => [...before, text, ...after, ""].join(eol);
      const edited = applyEdit(file("<old>"), { old: "<old>", new: middle, all: false });
      expect(edited).toEqual({ text: file(middle), count: 1 });
      const many = applyEdit(file("<old><old>"), { old: "<old>", new: middle, all: true });
      expect(many).toEqual({ text: file(middle + middle), count: 2 });
    }),
  );
});
