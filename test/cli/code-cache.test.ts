import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeEach, expect, test } from "vitest";
import {
  forgetOldCaches,
  readCodeCache,
  userCacheDirectory,
  writeCodeCache,
} from "../../src/cli/code-cache.ts";

const root = mkdtempSync(join(tmpdir(), "crush-cache-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let directory = "";
let file = "";
beforeEach(() => {
  directory = mkdtempSync(join(root, "case-"));
  file = join(directory, "one.cache");
});

const data = Buffer.from("what V8 compiled");

test("a cache comes back as it was written, for the key it was written for", () => {
  writeCodeCache(file, "v20 x64", { data, covers: ["run", "run ünï"] });
  expect(readCodeCache(file, "v20 x64")).toEqual({ data, covers: ["run", "run ünï"] });
  expect(readCodeCache(file, "v24 x64")).toBeUndefined();
  expect(readdirSync(directory)).toEqual(["one.cache"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a cache with any byte changed, or cut anywhere, is no cache", () => {
  writeCodeCache(file, "key", { data, covers: ["run"] });
  const whole = readFileSync(file);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at);
      writeFileSync(file, damaged);
      expect(readCodeCache(file, "key")).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.nat(whole.length - 1), (length) => {
      writeFileSync(file, whole.subarray(0, length));
      expect(readCodeCache(file, "key")).toBeUndefined();
    }),
  );
});

test("a missing file, a directory and an empty cache are no cache", () => {
  expect(readCodeCache(join(directory, "absent"), "key")).toBeUndefined();
  expect(readCodeCache(directory, "key")).toBeUndefined();
  writeCodeCache(file, "key", { data: Buffer.alloc(0), covers: [] });
  expect(readCodeCache(file, "key")).toBeUndefined();
});

test("a cache that cannot be put in place leaves nothing behind", () => {
  mkdirSync(join(file, "occupied"), { recursive: true });
  expect(() => writeCodeCache(file, "key", { data, covers: [] })).toThrow("rename");
  expect(readdirSync(directory)).toEqual(["one.cache"]);
});

test("the user's directory is made private, and looking for it makes nothing", () => {
  const env = { HOME: directory };
  expect(userCacheDirectory(env, { create: false })).toBeUndefined();
  expect(readdirSync(directory)).toEqual([]);
  const made = userCacheDirectory(env, { create: true });
  expect(made).toBe(join(directory, ".cache/crush-run"));
  expect(statSync(made ?? "").mode & 0o777).toBe(0o700);
  expect(userCacheDirectory(env, { create: false })).toBe(made);
});

test("XDG_CACHE_HOME goes before HOME, and a relative one does not count", () => {
  const xdg = join(directory, "xdg");
  mkdirSync(xdg);
  const both = { HOME: directory, XDG_CACHE_HOME: xdg };
  expect(userCacheDirectory(both, { create: true })).toBe(join(xdg, "crush-run"));
  const relative = { HOME: directory, XDG_CACHE_HOME: "xdg" };
  expect(userCacheDirectory(relative, { create: true })).toBe(join(directory, ".cache/crush-run"));
});

test("a directory that others can enter or write to is not used", () => {
  const made = userCacheDirectory({ HOME: directory }, { create: true }) ?? "";
  for (const mode of [0o777, 0o770, 0o701]) {
    chmodSync(made, mode);
    expect(userCacheDirectory({ HOME: directory }, { create: true })).toBeUndefined();
  }
});

test("without a home, or with one that is not a directory, there is no place", () => {
  expect(userCacheDirectory({}, { create: true })).toBeUndefined();
  writeFileSync(file, "");
  expect(userCacheDirectory({ HOME: file }, { create: true })).toBeUndefined();
});

test("only the latest caches are kept", () => {
  for (let age = 0; age < 6; age++) {
    const name = join(directory, `${age}.cache`);
    writeFileSync(name, "");
    utimesSync(name, 1_000_000 - age, 1_000_000 - age);
  }
  forgetOldCaches(directory, 2);
  expect(readdirSync(directory)).toEqual(["0.cache", "1.cache"]);
});
