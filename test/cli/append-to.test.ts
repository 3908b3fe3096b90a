import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { appendTo } from "../../src/cli/append-to.ts";
import { projectFolder } from "../support/project-folder.ts";

function folder(): string {
  const one = projectFolder();
  onTestFinished(() => one[Symbol.dispose]());
  return one.root;
}

test("text is added behind what is there, on a line of its own", () => {
  const file = join(folder(), "file");
  const sizes: number[] = [];
  const add = (text: string): void =>
    appendTo(file, (size) => {
      sizes.push(size);
      return text;
    });
  writeFileSync(file, "");
  add("one\n");
  add("two");
  add("three\n");
  expect(readFileSync(file, "utf8")).toBe("one\ntwo\nthree\n");
  expect(sizes).toEqual([0, 4, 8]);
});

test("a link is not followed, and what is no file is not opened", () => {
  const root = folder();
  const target = join(root, "target");
  writeFileSync(target, "kept");
  symlinkSync(target, join(root, "link"));
  mkdirSync(join(root, "directory"));
  execFileSync("mkfifo", [join(root, "pipe")]);
  const add = (name: string) => (): void => appendTo(join(root, name), () => "text");
  expect(add("link")).toThrow("it is a symbolic link");
  expect(add("directory")).toThrow("it is no regular file");
  expect(add("pipe")).toThrow("it is no regular file");
  expect(add("missing")).toThrow("ENOENT");
  expect(readFileSync(target, "utf8")).toBe("kept");
});

test("a file whose part cannot be made stays as it was", () => {
  const file = join(folder(), "file");
  writeFileSync(file, "kept");
  const full = (): never => {
    throw new Error("it is full");
  };
  expect(() => appendTo(file, full)).toThrow("it is full");
  expect(readFileSync(file, "utf8")).toBe("kept");
});
