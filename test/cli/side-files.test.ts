import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSideFiles } from "../../src/cli/side-files.ts";
import type { SideFile } from "../../src/cli/side-file.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";

let place = "";
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), "side-")));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const never = new AbortController().signal;
const at = (name: string): string => join(place, name);

async function open(path: string, signal = never): Promise<SideFile> {
  const [file] = await openSideFiles([{ flag: "--events", path }], signal);
  if (file === undefined) throw new Error("no file");
  return file;
}

const refusal = (message: string): object => ({
  failure: { reason: "usage", message: expect.stringContaining(message) as string },
});

test("a file has its new content when it is finished, in one step, and nothing else is left in its directory", async () => {
  writeFileSync(at("a"), "old");
  using file = await open(at("a"));
  expect(readdirSync(place)).toEqual(["a"]);
  await file.write("one\n");
  await file.write("two\n");
  expect(readFileSync(at("a"), "utf8")).toBe("old");
  await file.finish();
  expect(readFileSync(at("a"), "utf8")).toBe("one\ntwo\n");
  expect([file.failed(), readdirSync(place)]).toEqual([null, ["a"]]);
});

test("a file that is written again after it was finished has the second content alone", async () => {
  using file = await open(at("a"));
  await file.write("one");
  await file.finish();
  await file.write("two");
  await file.finish();
  expect(readFileSync(at("a"), "utf8")).toBe("two");
});

test("a file into which nothing was written is empty, and one that was not finished is as before", async () => {
  using empty = await open(at("empty"));
  await empty.finish();
  expect(readFileSync(at("empty"), "utf8")).toBe("");
  const left = await open(at("left"));
  await left.write("half");
  expect(readdirSync(place)).toHaveLength(2);
  left[Symbol.dispose]();
  left[Symbol.dispose]();
  expect(readdirSync(place)).toEqual(["empty"]);
});

test("a new file may be read by whom the umask lets, an old one by whom it could be read before", async () => {
  const before = process.umask(0o027);
  try {
    writeFileSync(at("old"), "");
    chmodSync(at("old"), 0o600);
    const files = await openSideFiles(
      [
        { flag: "-o", path: at("new") },
        { flag: "--events", path: at("old") },
      ],
      never,
    );
    for (const file of files) await file.finish();
    expect([statSync(at("new")).mode & 0o777, statSync(at("old")).mode & 0o777]).toEqual([
      0o640, 0o600,
    ]);
  } finally {
    process.umask(before);
  }
});

test("a link is followed, to a file and to where one is to be", async () => {
  mkdirSync(at("sub"));
  writeFileSync(at("sub/there"), "old");
  symlinkSync("sub/there", at("link"));
  symlinkSync("link", at("again"));
  symlinkSync("sub/not-yet", at("dangling"));
  for (const name of ["again", "dangling"]) {
    using file = await open(at(name));
    await file.write(name);
    await file.finish();
  }
  expect(readFileSync(at("sub/there"), "utf8")).toBe("again");
  expect(readFileSync(at("sub/not-yet"), "utf8")).toBe("dangling");
  expect(readdirSync(place).toSorted()).toEqual(["again", "dangling", "link", "sub"]);
  symlinkSync("round", at("round"));
  await expect(open(at("round"))).rejects.toMatchObject(refusal("--events names"));
});

test("a hard link of another name keeps its content", async () => {
  writeFileSync(at("a"), "old");
  linkSync(at("a"), at("b"));
  using file = await open(at("a"));
  await file.write("new");
  await file.finish();
  expect(readFileSync(at("b"), "utf8")).toBe("old");
});

test.each([
  ["", "--events is empty"],
  ["-", '--events is "-"'],
  ["none/a", "ENOENT"],
  ["file/a", "ENOTDIR"],
  ["sub", "it is no file"],
  ["sub/", "it is no file"],
  ["new/", "it is no file"],
  ["a\0b", "cannot be written"],
  ["n".repeat(300), "ENAMETOOLONG"],
])("%j is refused before anything is written: %s", async (path, message) => {
  mkdirSync(at("sub"));
  writeFileSync(at("file"), "");
  const asked = path.length < 2 ? path : at(path);
  await expect(open(asked)).rejects.toMatchObject(refusal(message));
  expect(readdirSync(place).toSorted()).toEqual(["file", "sub"]);
});

test("a path is relative to where the command was started", async () => {
  const before = process.cwd();
  process.chdir(place);
  try {
    using file = await open("a");
    await file.finish();
    expect(existsSync(at("a"))).toBe(true);
  } finally {
    process.chdir(before);
  }
});

test("two flags cannot have one file, by whatever name, and neither is opened then", async () => {
  writeFileSync(at("a"), "old");
  symlinkSync("a", at("link"));
  for (const [one, other] of [
    [at("a"), at("link")],
    [at("new"), at("./new")],
  ] as const) {
    const wanted = [
      { flag: "-o", path: one },
      { flag: "--events", path: other },
    ];
    await expect(openSideFiles(wanted, never)).rejects.toMatchObject(
      refusal("-o and --events name the same file"),
    );
  }
  expect(readdirSync(place).toSorted()).toEqual(["a", "link"]);
});

test("devices are written directly, and take several writers", async () => {
  const wanted = [
    { flag: "-o", path: "/dev/null" },
    { flag: "--events", path: "/dev/null" },
  ];
  for (const file of await openSideFiles(wanted, never)) {
    await file.write("gone");
    await file.finish();
    expect(file.failed()).toBeNull();
    file[Symbol.dispose]();
  }
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
});

test("what could not be written is told with its flag, its name and its cause, and ends the writing", async () => {
  using full = await open("/dev/full");
  await full.write("too much");
  await full.finish();
  expect(full.failed()).toMatchObject({
    reason: "output_write",
    message: "cannot write /dev/full of --events: ENOSPC",
  });

  mkdirSync(at("gone"));
  using file = await open(at("gone/a"));
  rmSync(at("gone"), { recursive: true });
  await file.write("text");
  await file.finish();
  expect(file.failed()).toMatchObject({
    message: `cannot write ${at("gone/a")} of --events: ENOENT`,
  });
});

test("a directory that takes the place of a file is a failure, and no temporary file is left", async () => {
  using file = await open(at("a"));
  await file.write("text");
  mkdirSync(at("a"));
  await file.finish();
  expect(file.failed()?.message).toMatch(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(readdirSync(place)).toEqual(["a"]);
});

test("a pipe is written as it comes, however slow its reader, and its reader may come late", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  const text = "0123456789abcde\n".repeat(20_000); // more than a pipe holds
  const reader = spawn("sh", ["-c", "sleep 0.2; exec cat pipe"], {
    cwd: place,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const parts: Buffer[] = [];
  reader.stdout.on("data", (part: Buffer) => parts.push(part));
  const file = await open(at("pipe"));
  await Promise.all([file.write("first\n"), file.write(text), file.finish()]);
  file[Symbol.dispose]();
  await once(reader, "close");
  expect(Buffer.concat(parts).toString()).toBe(`first\n${text}`);
  expect(file.failed()).toBeNull();
});

test("a reader that leaves a pipe is a failure, and one that does not read is left behind", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  const reader = spawn("sh", ["-c", "exec 3<pipe; echo; read -r _"], {
    cwd: place,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const file = await open(at("pipe"));
  await once(reader.stdout, "data");
  const writing = file.write("x".repeat(1_000_000));
  reader.stdin.end();
  await writing;
  expect(file.failed()?.message).toMatch(/its reader left$/);
  file[Symbol.dispose]();

  const idle = spawn("sh", ["-c", "exec 3<pipe; echo; read -r _"], {
    cwd: place,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const stuck = await open(at("pipe"));
  const left = stuck.write("x".repeat(1_000_000));
  stuck[Symbol.dispose]();
  await left;
  idle.stdin.end();
  await once(idle, "close");
});

test("the wait for the reader of a pipe ends with the signal", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  const cancel = new AbortController();
  const waiting = open(at("pipe"), cancel.signal);
  const why = new RunAborted("signal");
  cancel.abort(why);
  await expect(waiting).rejects.toBe(why);
});

test.each(["crush-run.db", "crush-run.db-wal", "crush.db"])(
  "%s, which keeps sessions and runs, is not replaced by an answer, through a link either",
  async (name) => {
    writeFileSync(at(name), "all that was said");
    symlinkSync(at(name), at("link"));
    for (const path of [at(name), at("link")])
      await expect(open(path)).rejects.toMatchObject(refusal("which keeps sessions and runs"));
    expect(readFileSync(at(name), "utf8")).toBe("all that was said");
  },
);
