import { expect, test } from "vitest";
import { bashTool } from "../../src/tools/bash.ts";
import { living } from "../support/living.ts";
import { call, tempDirectory, toolContext } from "../support/tool-context.ts";

test("output of both streams comes back in the order it was written", async () => {
  using temp = tempDirectory();
  const result = await call(bashTool, temp.path, {
    command: "for i in 1 2 3; do echo out $i; echo err $i >&2; done; pwd",
    description: "Count",
  });
  expect(result).toEqual({
    content: `out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n${temp.path}`,
    isError: false,
    truncated: false,
    metadata: {
      exit_code: 0,
      signal: null,
      timed_out: false,
      output_bytes: 36 + temp.path.length + 1,
    },
  });
});

test("a failing command is an error result with its output and exit code", async () => {
  using temp = tempDirectory();
  expect(await call(bashTool, temp.path, { command: "echo why; exit 7" })).toMatchObject({
    content: "why\n[exit code 7]",
    isError: true,
  });
  expect(await call(bashTool, temp.path, { command: "false" })).toMatchObject({
    content: "[exit code 1]",
  });
  expect(await call(bashTool, temp.path, { command: "kill -KILL $$" })).toMatchObject({
    content: "[ended by SIGKILL]",
    isError: true,
  });
});

test("a command may be silent, span lines and use what only bash knows", async () => {
  using temp = tempDirectory();
  expect((await call(bashTool, temp.path, { command: "true" })).content).toBe("(no output)");
  const command = "a=(x y)\necho \"${a[1]}\" '$0' # a comment";
  expect((await call(bashTool, temp.path, { command })).content).toBe("y $0");
});

test("without bash the command runs in sh", async () => {
  using temp = tempDirectory();
  const env = { PATH: temp.path };
  const result = await bashTool.run({ command: "/bin/echo $0" }, toolContext(temp.path, { env }));
  // The path holds no sh either, so this is what the model is told.
  expect(result).toMatchObject({ isError: true, content: "bash: spawn sh ENOENT" });
  const { symlinkSync } = await import("node:fs");
  symlinkSync("/bin/sh", `${temp.path}/sh`);
  const again = await bashTool.run({ command: "echo $0" }, toolContext(temp.path, { env }));
  expect(again.content).toBe("sh");
});

test("nothing that prompts can wait: stdin is at its end and there is no terminal", async () => {
  using temp = tempDirectory();
  const command = "read -r line || echo closed; (: </dev/tty) 2>/dev/null || echo no terminal";
  expect((await call(bashTool, temp.path, { command })).content).toBe("closed\nno terminal");
});

test("of a long output the beginning and the end are kept, with a note between", async () => {
  using temp = tempDirectory();
  const result = await call(bashTool, temp.path, { command: "seq 1 20000" });
  expect(result.content.startsWith("1\n2\n3\n")).toBe(true);
  expect(result.content.endsWith("19999\n20000")).toBe(true);
  expect(result.content).toMatch(/\n\[\d+ bytes left out; redirect the output to a file/);
  expect(Buffer.byteLength(result.content)).toBeLessThan(33 * 1024);
  expect(result).toMatchObject({ isError: false, truncated: true });
});

test("the time limit is told apart from a failure, and what was written is kept", async () => {
  using temp = tempDirectory();
  const result = await call(bashTool, temp.path, { command: "echo begun; sleep 60", timeout: 1 });
  expect(result).toMatchObject({
    content: "begun\n[timed out after 1 s; the command and all it started were ended]",
    isError: true,
    metadata: { timed_out: true },
  });
});

test("background jobs end with the call, and the model is told", async () => {
  using temp = tempDirectory();
  const time = `200${process.pid}`;
  const result = await call(bashTool, temp.path, { command: `sleep ${time} & echo up` });
  expect(result).toMatchObject({
    content: "up\n[1 process(es) left in the background were ended]",
    isError: false,
  });
  expect(living(time)).toEqual([]);
});

test("an abort rejects with its reason", async () => {
  using temp = tempDirectory();
  const controller = new AbortController();
  const reason = new Error("stop");
  const context = toolContext(temp.path, {
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await expect(bashTool.run({ command: "echo; sleep 60" }, context)).rejects.toBe(reason);
});

test("a bad input names its field", async () => {
  using temp = tempDirectory();
  expect((await call(bashTool, temp.path, {})).content).toBe("bash: field `command` is missing");
  expect((await call(bashTool, temp.path, { command: "x", timeout: 601 })).content).toBe(
    "bash: field `timeout` must be a whole number from 1 to 600",
  );
  expect((await call(bashTool, temp.path, { command: "a\0b" })).isError).toBe(true);
  expect((await call(bashTool, temp.path, { command: "#".repeat(200_000) })).content).toContain(
    "too long; put it into a file",
  );
});
