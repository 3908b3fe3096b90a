import { execFileSync } from "node:child_process";
import {
  chmodSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lookBefore, replaceFile } from "../../src/tools/replace-file.ts";
import { viewTool } from "../../src/tools/view.ts";
import { writeTool } from "../../src/tools/write.ts";
import { call, fileTracker, tempDirectory, toolContext } from "../support/tool-context.ts";

test("a new file is written with its directories, and counts as read", async () => {
  using temp = tempDirectory();
  const context = toolContext(temp.path);
  const result = await writeTool.run({ file_path: "a/b/c.txt", content: "é\n" }, context);
  expect(result).toEqual({
    content: "created a/b/c.txt (1 line, 3 bytes)",
    isError: false,
    truncated: false,
    metadata: { path: "a/b/c.txt", bytes: 3 },
  });
  expect(readFileSync(join(temp.path, "a/b/c.txt"), "utf8")).toBe("é\n");
  const again = await writeTool.run({ file_path: "a/b/c.txt", content: "e\nf" }, context);
  expect(again.content).toMatch(/^replaced a\/b\/c\.txt \(2 lines, 3 bytes\)\n--- a\//);
});

test("an existing file must have been read, as it is now", async () => {
  using temp = tempDirectory();
  const path = join(temp.path, "f");
  const context = toolContext(temp.path);
  const write = (content: string): Promise<unknown> =>
    writeTool.run({ file_path: "f", content }, context);
  writeFileSync(path, "old");
  chmodSync(path, 0o640);
  expect(await write("new")).toMatchObject({
    isError: true,
    content: "write: f has not been read in this session; view it first",
  });
  await viewTool.run({ file_path: "f" }, context);
  writeFileSync(path, "changed");
  expect(await write("new")).toMatchObject({
    content: "write: f has changed since it was last read; view it again",
  });
  expect(readFileSync(path, "utf8")).toBe("changed");
  await viewTool.run({ file_path: "f" }, context);
  expect(await write("new")).toMatchObject({ isError: false });
  expect(await write("new")).toMatchObject({
    content: expect.stringContaining("exactly this already") as string,
  });
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(temp.path)).toEqual(["f"]);
});

test("a file that somebody writes at the last moment is not lost", async () => {
  using temp = tempDirectory();
  const path = join(temp.path, "f");
  const files = fileTracker();
  const before = await lookBefore(path, files);
  expect(before).toEqual({ type: "absent" });
  writeFileSync(path, "theirs");
  expect(await replaceFile(path, Buffer.from("ours"), { type: "absent" }, files)).toBe(false);
  expect(readFileSync(path, "utf8")).toBe("theirs");
  expect(files.lastSeen(path)).toBe(null);
  expect(readdirSync(temp.path)).toEqual(["f"]);
});

test("a pipe, a directory, a link to outside and a path outside are refused", async () => {
  using temp = tempDirectory();
  execFileSync("mkfifo", [join(temp.path, "fifo")]);
  symlinkSync("/tmp/crush-tools-not-there", join(temp.path, "link"));
  const write = (file_path: string): Promise<unknown> =>
    call(writeTool, temp.path, { file_path, content: "x" });
  expect(await write("fifo")).toMatchObject({ isError: true });
  expect(await write(".")).toMatchObject({ isError: true, content: "write: . is a directory" });
  expect(await write("link")).toMatchObject({ denied: { rule: "outside_working_directory" } });
  expect(await write("../x")).toMatchObject({ denied: { rule: "outside_working_directory" } });
  expect(await write("/dev/null")).toMatchObject({ denied: { rule: "outside_working_directory" } });
  expect(readdirSync(temp.path)).toEqual(["fifo", "link"]);
});
