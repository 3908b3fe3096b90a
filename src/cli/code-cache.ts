import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { isAbsolute, join } from "node:path";

/**
 * V8's compiled form of the bundle, kept between runs (it halves the time from start to first request).
 * V8 checks its own version and flags but not the bytes: a flipped bit kills the process. So every file ends with a
 * trailer of ours (what it was made for, what it covers, a hash) and is believed only whole.
 */
export interface CodeCache {
  readonly data: Buffer;
  /** The kinds of run whose functions are in it. */
  readonly covers: readonly string[];
}

const MAGIC = "crushcc1";
const DIGEST_BYTES = 32;
const TAIL_BYTES = DIGEST_BYTES + 4 + MAGIC.length;

interface Trailer {
  readonly key: string;
  readonly covers: readonly string[];
}

/** The cache in `file`, or undefined when it is missing, damaged, or was made for another key. */
export function readCodeCache(file: string, key: string): CodeCache | undefined {
  try {
    const bytes = readFileSync(file);
    const tail = bytes.length - TAIL_BYTES;
    if (tail < 0 || bytes.toString("latin1", bytes.length - MAGIC.length) !== MAGIC)
      return undefined;
    const size = tail - bytes.readUInt32LE(tail + DIGEST_BYTES);
    if (size <= 0) return undefined;
    const digest = bytes.subarray(tail, tail + DIGEST_BYTES);
    if (!sha256(bytes.subarray(0, tail)).equals(digest)) return undefined;
    const trailer = JSON.parse(bytes.toString("utf8", size, tail)) as Trailer;
    return trailer.key === key
      ? { data: bytes.subarray(0, size), covers: trailer.covers }
      : undefined;
  } catch {
    return undefined; // a cache that cannot be read is no cache
  }
}

/** Replaces `file` whole, or throws. Two writers at once are harmless: the last one stays. */
export function writeCodeCache(file: string, key: string, cache: CodeCache): void {
  const trailer: Trailer = { key, covers: cache.covers };
  const json = Buffer.from(JSON.stringify(trailer));
  const content = Buffer.concat([cache.data, json]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const tail = [sha256(content), length, Buffer.from(MAGIC, "latin1")];
    writeFileSync(temporary, Buffer.concat([content, ...tail]), { mode: 0o600, flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * The directory of the user's cache, 0700 and ours; undefined when there is no such place. Code that is loaded from
 * it runs as us, so one that another user could write to is not used, and a home that is not ours is not written to.
 */
export function userCacheDirectory(
  env: NodeJS.ProcessEnv,
  options: { create: boolean },
): string | undefined {
  const base = cacheBase(env);
  const uid = process.getuid?.();
  if (base === undefined || uid === undefined) return undefined;
  const directory = join(base.directory, "crush-run");
  try {
    if (options.create) {
      if (statSync(base.owned).uid !== uid) return undefined;
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
    const found = statSync(directory);
    return found.uid === uid && (found.mode & 0o077) === 0 ? directory : undefined;
  } catch {
    return undefined; // missing or unwritable: no cache, never an error
  }
}

/** `owned` exists already and must belong to us before anything is created below it. */
function cacheBase(env: NodeJS.ProcessEnv): { directory: string; owned: string } | undefined {
  const xdg = env["XDG_CACHE_HOME"];
  const home = env["HOME"];
  if (xdg !== undefined && isAbsolute(xdg)) return { directory: xdg, owned: xdg };
  if (home !== undefined && isAbsolute(home))
    return { directory: join(home, ".cache"), owned: home };
  return undefined;
}

/** Each build, Node version and set of flags has a file of its own; only the latest few are still of use. */
export function forgetOldCaches(directory: string, keep = 8): void {
  const files = readdirSync(directory)
    .map((name) => join(directory, name))
    .map((file) => ({ file, written: statSync(file).mtimeMs }))
    .sort((a, b) => b.written - a.written);
  for (const { file } of files.slice(keep)) rmSync(file, { force: true });
}

/** Eight characters for a file name. */
export const shortHash = (text: string): string => sha256(Buffer.from(text)).toString("hex", 0, 4);

const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
