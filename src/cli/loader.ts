/**
 * Becomes dist/loader.cjs, which bin/crush requires: compiles the bundle with the code cache, calls its `main`,
 * and keeps a new cache when this run has compiled something that none has yet.
 *
 * A run takes part by `globalThis[Symbol.for("crush-run.cache-as")] = "run openai"`: a short name for the code
 * it went through, set once it is certain that it did real work. Without it nothing is kept, so `--version` does not leave a
 * cache without the functions of `run`. A name that the cache does not cover yet adds this run's functions to it.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import {
  forgetOldCaches,
  readCodeCache,
  shortHash,
  userCacheDirectory,
  writeCodeCache,
} from "./code-cache.ts";
import type { CodeCache } from "./code-cache.ts";

declare const CRUSH_BUILD_ID: string;

interface Bundle {
  exports: { main: (argv: readonly string[]) => Promise<void> };
}

const CACHE_AS = Symbol.for("crush-run.cache-as");
/** Tells `crush doctor` and the tests where the cache came from. */
const CACHE_FROM = Symbol.for("crush-run.cache-from");

/** What a cache must have been made for. V8 flags change what V8 accepts; both ways to give them are named. */
const BUILD_KEY = `${process.version} ${process.arch} ${CRUSH_BUILD_ID}`;
const FLAGS = [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].join(" ").trim();
const USER_KEY = `${BUILD_KEY} ${FLAGS}`.trim();
const USER_FILE = `${CRUSH_BUILD_ID}-${process.version}-${process.arch}-${shortHash(USER_KEY)}.cache`;

async function start(): Promise<void> {
  const file = join(__dirname, "crush.cjs");
  const cache = findCache();
  // The output of the build is ASCII: read as latin1 it is neither decoded nor widened.
  const source = readFileSync(file, "latin1");
  const script = new Script(
    `(function(exports,require,module,__filename,__dirname){${source}\n})`,
    { filename: file, cachedData: cache?.data },
  );
  const usable = script.cachedDataRejected === true ? undefined : cache;
  const flags = flagHash(usable?.data ?? new Script("").createCachedData());
  Reflect.set(globalThis, CACHE_FROM, usable?.from ?? (cache === undefined ? "none" : "rejected"));
  process.once("exit", (code) => {
    if (code === 0) keepCache(script, usable, flags);
  });

  const bundle = { exports: {} } as Bundle;
  script.runInThisContext()(bundle.exports, createRequire(file), bundle, file, __dirname);
  try {
    await bundle.exports.main(process.argv.slice(2));
  } catch (error) {
    // `main` reports every ending it can name; this is a bug in it.
    process.stderr.write(`error: internal: ${String(error)}: please report this\n`);
    process.exitCode = 1;
  }
}

/** The user's own first: it has grown with what this user does. The one in dist/ makes the very first run fast. */
function findCache(): (CodeCache & { from: string }) | undefined {
  const directory = userCacheDirectory(process.env, { create: false });
  const own = directory && readCodeCache(join(directory, USER_FILE), USER_KEY);
  if (own) return { ...own, from: "user" };
  const shipped = readCodeCache(join(__dirname, "crush.cache"), BUILD_KEY);
  return shipped && { ...shipped, from: "shipped" };
}

/** Runs after all output has left, and never throws: without a cache the next run is slower, nothing else. */
function keepCache(script: Script, old: CodeCache | undefined, flags: number): void {
  try {
    const name: unknown = Reflect.get(globalThis, CACHE_AS);
    if (typeof name !== "string" || old?.covers.includes(name) === true) return;
    const directory = userCacheDirectory(process.env, { create: true });
    if (directory === undefined) return;
    const fresh = script.createCachedData();
    // Flags changed since the start would make every later run reject it.
    if (flagHash(fresh) !== flags) return;
    // V8 drops functions that were not called for a while: what is smaller has lost some.
    const data = old !== undefined && old.data.length > fresh.length ? old.data : fresh;
    writeCodeCache(join(directory, USER_FILE), USER_KEY, {
      data,
      covers: [...(old?.covers ?? []), name],
    });
    forgetOldCaches(directory);
  } catch {
    // full disk, read-only home, …
  }
}

/** V8's own hash of its flags, the fourth word of its header (the same offset in Node 20 to 24). */
const flagHash = (data: Buffer): number => data.readUInt32LE(12);

void start();
