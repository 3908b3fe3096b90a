import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { textOrFile } from "../../src/cli/text-or-file.ts";
import { MOST_SYSTEM_BYTES } from "../../src/protocol/run-options.ts";
import { RunFailed, type RunFailure } from "../../src/protocol/ending.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "crush-text-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return `@${path}`;
};

const read = (value: string | null): string | null => textOrFile("--system", value);

function failureOf(work: () => unknown): RunFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
  throw new Error("expected a refusal");
}

test("a text is itself, a file its content, both without the line ends behind them", () => {
  expect(read("Be brief.\n")).toBe("Be brief.");
  expect(read(file("plain", "one\r\n\r\ntwo  \r\n\n"))).toBe("one\r\n\r\ntwo  ");
  expect(read(file("marked", "\u{feff}text"))).toBe("text");
  expect(read(null)).toBeNull();
});

test("two signs begin a text with one", () => {
  expect(read("@@home is a word")).toBe("@home is a word");
});

test("the largest text is taken, a byte more is not", () => {
  const most = "x".repeat(MOST_SYSTEM_BYTES);
  expect(read(most)).toBe(most);
  expect(read(file("most", most))).toBe(most);
  expect(() => read(`${most}x`)).toThrow("larger than 1024 KiB");
  expect(() => read(file("more", `${most}x`))).toThrow("larger than 1024 KiB");
});

test.each([
  ["no text at all", () => "", "--system is empty"],
  ["white space", () => " \n\t", "--system is empty"],
  ["an empty file", () => file("empty", "\n"), "empty, which is empty"],
  ["no file", () => "@", "names no file"],
  ["a file that is not there", () => "@/nowhere/file", "/nowhere/file, which is not there"],
  ["a directory", () => `@${folder}`, "which is a directory"],
  ["a device that never ends", () => "@/dev/zero", "which is no ordinary file"],
  [
    "bytes that are no text",
    () => file("latin", Buffer.from([0x61, 0xe9, 0x62])),
    "which is no text",
  ],
  ["a binary", () => file("binary", "ELF\0\0"), "which is no text"],
])("%s is refused: flag, place and remedy are told", (_, value, says) => {
  const refusal = failureOf(() => read(value()));
  expect(refusal).toMatchObject({ reason: "usage", remedy: expect.stringMatching(/./) as string });
  expect(refusal.message).toContain("--system");
  expect(refusal.message).toContain(says);
});

test("a pipe that nobody writes to is refused, and not waited for", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  expect(() => read(`@${pipe}`)).toThrow("no ordinary file");
});
