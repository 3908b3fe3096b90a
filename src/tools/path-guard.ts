import { promises } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { failed } from "./tool-result.ts";
import type { ToolResult } from "./tool.ts";

/** File systems whose "files" are the kernel: a read may block for ever, a write may do anything. */
const KERNEL_ROOTS = ["/dev", "/proc", "/sys"];
/**
 * What the store holds open. Whoever closes such a file anywhere in this process gives up SQLite's locks on it (POSIX asks for that):
 * others would take us for dead, or write where we write.
 */
const OF_STORE = /(^|\/)(crush-run\.db(-wal|-shm|-journal)?|owners\/[\da-f-]{36}\.db(-journal)?)$/;
const MAX_LINKS = 40;

/** A path a file tool may touch. `path` is real: no component of it was a symbolic link when we looked. */
export interface InsidePath {
  readonly path: string;
  /** As the model should see it: relative to the working directory, `.` for itself. */
  readonly shown: string;
}

/**
 * Resolves what the model wrote against the working directory, symbolic links included (for a file that does
 * not exist yet: those of its nearest existing parent). Outside the working directory: a denied result. A
 * fence for file tools, not a sandbox: open what it returns with `O_NOFOLLOW`.
 */
export async function insidePath(cwd: string, written: string): Promise<InsidePath | ToolResult> {
  if (written.includes("\0")) return failed("the path contains a NUL character");
  const path = await realPathOf(resolve(cwd, written));
  if (path === null) return failed(`${written}: too many symbolic links`);
  if (!contains(cwd, path)) return outside(written);
  if (KERNEL_ROOTS.some((root) => contains(root, path)))
    return failed(`${written}: devices and kernel files are not for file tools`);
  if (OF_STORE.test(path))
    return failed(`${written}: this run's own records are not for file tools`);
  return { path, shown: shownPath(cwd, path) };
}

export function isInside(value: InsidePath | ToolResult): value is InsidePath {
  return "path" in value;
}

export function shownPath(cwd: string, path: string): string {
  return relative(cwd, path) || ".";
}

function contains(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function outside(written: string): ToolResult {
  const remedy = `run it with --cwd set to a directory that contains ${written}`;
  return {
    ...failed(`${written} is outside the working directory; file tools stay inside it`),
    denied: { rule: "outside_working_directory", remedy },
  };
}

/** The real path, existing or not; null when the links go round in a circle. */
async function realPathOf(absolute: string, links = 0): Promise<string | null> {
  if (links > MAX_LINKS) return null;
  try {
    return await promises.realpath(absolute);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ELOOP") return null;
    if (code !== "ENOENT") throw error;
  }
  const parent = await realPathOf(dirname(absolute), links);
  if (parent === null) return null;
  const path = join(parent, basename(absolute));
  // A link that points nowhere yet: a write would create its target, so the target is what counts.
  const target = await linkTarget(path);
  return target === null ? path : realPathOf(resolve(parent, target), links + 1);
}

async function linkTarget(path: string): Promise<string | null> {
  try {
    return (await promises.lstat(path)).isSymbolicLink() ? await promises.readlink(path) : null;
  } catch {
    return null; // does not exist, which is fine
  }
}
