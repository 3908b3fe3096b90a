import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digestOf } from "../../src/tools/open-file.ts";
import { viewTool } from "../../src/tools/view.ts";
import { call, tempDirectory, toolContext } from "../support/tool-context.ts";

const lines = (count: number): string =>
  Array.from({ length: count }, (_, at) => `line ${at + 1}\n`).join("");

test("a file is shown with line numbers and remembered as read", async () => {
  using temp = tempDirectory();
  const path = join(temp.path, "a.txt");
  writeFileSync(path, "one\n\nthree");
  const context = toolContext(temp.path);
  const result = await viewTool.run({ file_path: "a.txt" }, context);
  expect(result).toEqual({
    content: "     1\tone\n     2\t\n     3\tthree\n",
    isError: false,
    truncated: false,
    metadata: { path: "a.txt", lines: 3 },
  });
  expect(context.files.lastSeen(path)).toBe(digestOf(Buffer.from("one\n\nthree")));
});

test("offset and limit choose lines, and the result says how to go on", async () => {
  using temp = tempDirectory();
  writeFileSync(join(temp.path, "a"), lines(10));
  const part = await call(viewTool, temp.path, { file_path: "a", offset: 3, limit: 2 });
  expect(part.content).toBe(
    "     3\tline 3\n     4\tline 4\n[lines 3 to 4 of 10; go on with offset 5]",
  );
  expect(part.truncated).toBe(true);
  const end = await call(viewTool, temp.path, { file_path: "a", offset: 10 });
  expect(end.content).toBe("    10\tline 10\n[lines 10 to 10 of 10]");
  expect(await call(viewTool, temp.path, { file_path: "a", offset: 11 })).toMatchObject({
    isError: true,
    content: "view: a has only 10 lines",
  });
});

test("without a limit 2,000 lines are shown", async () => {
  using temp = tempDirectory();
  writeFileSync(join(temp.path, "a"), "x\n".repeat(2001));
  const { content } = await call(viewTool, temp.path, { file_path: "a" });
  expect(content).toContain("[lines 1 to 2000 of 2001; go on with offset 2001]");
});

test("a result stays within its bytes, whatever the lines are", async () => {
  using temp = tempDirectory();
  writeFileSync(join(temp.path, "long"), `${"é".repeat(5000)}\n`.repeat(100));
  const { content, truncated } = await call(viewTool, temp.path, { file_path: "long" });
  expect(Buffer.byteLength(content)).toBeLessThanOrEqual(32 * 1024);
  expect(content).toContain("[line cut: 5000 characters]");
  expect(content).toMatch(/go on with offset \d+\]$/);
  expect(truncated).toBe(true);
});

test("CRLF, a byte order mark and bytes that are not UTF-8 do not disturb the lines", async () => {
  using temp = tempDirectory();
  writeFileSync(join(temp.path, "dos"), "\uFEFFone\r\ntwo\r\n");
  writeFileSync(join(temp.path, "latin1"), Buffer.from("caf\xe9\n", "latin1"));
  expect((await call(viewTool, temp.path, { file_path: "dos" })).content).toBe(
    "     1\tone\n     2\ttwo\n[line endings are CRLF; an edit keeps them]",
  );
  expect((await call(viewTool, temp.path, { file_path: "latin1" })).content).toBe(
    "     1\tcaf\uFFFD\n[not UTF-8: some characters are shown as \uFFFD]",
  );
});

test("an empty file is said to be empty", async () => {
  using temp = tempDirectory();
  writeFileSync(join(temp.path, "void"), "");
  expect(await call(viewTool, temp.path, { file_path: "void" })).toMatchObject({
    content: "[void is empty]",
    isError: false,
  });
});

test("binary files, directories and large files are refused with the reason and a way on", async () => {
  using temp = tempDirectory();
  writeFileSync(join(temp.path, "image"), "\x89PNG\r\n\x1a\n", "latin1");
  writeFileSync(join(temp.path, "blob"), "text\0more");
  writeFileSync(join(temp.path, "huge"), Buffer.alloc(16 * 1024 * 1024 + 1, "a"));
  mkdirSync(join(temp.path, "dir"));
  const refusal = async (file_path: string): Promise<string> => {
    const { content, isError } = await call(viewTool, temp.path, { file_path });
    expect(isError).toBe(true);
    return content;
  };
  expect(await refusal("image")).toContain("image is a PNG image (8 bytes), not text");
  expect(await refusal("blob")).toContain("blob is binary data (9 bytes), not text");
  expect(await refusal("dir")).toBe("view: dir is a directory; use ls");
  expect(await refusal("huge")).toMatch(/huge is too large .* use grep, or bash/);
});

test("a missing file brings the names that look like it", async () => {
  using temp = tempDirectory();
  mkdirSync(join(temp.path, "src"));
  for (const name of ["session-queue.ts", "README.md", "zebra"])
    writeFileSync(join(temp.path, "src", name), "");
  const said = async (file_path: string): Promise<string> =>
    (await call(viewTool, temp.path, { file_path })).content;
  expect(await said("src/sesion-queue.ts")).toBe(
    "view: src/sesion-queue.ts does not exist; did you mean src/session-queue.ts?",
  );
  expect(await said("src/readme.txt")).toContain("did you mean src/README.md?");
  expect(await said("src/qqqq")).toBe("view: src/qqqq does not exist");
  expect(await said("lib/x")).toBe("view: lib/x does not exist; neither does the directory lib");
});

test("a pipe, a socket and a link to outside are refused at once", async () => {
  using temp = tempDirectory();
  execFileSync("mkfifo", [join(temp.path, "fifo")]);
  symlinkSync("/etc/passwd", join(temp.path, "link"));
  const server = createServer().listen(join(temp.path, "sock"));
  await once(server, "listening");
  const result = (file_path: string): Promise<unknown> => call(viewTool, temp.path, { file_path });
  expect(await result("fifo")).toMatchObject({
    isError: true,
    content: "view: fifo is a device, pipe or socket, not a file",
  });
  expect(await result("sock")).toMatchObject({ isError: true });
  expect(await result("link")).toMatchObject({
    isError: true,
    denied: { rule: "outside_working_directory" },
  });
  server.close();
});
