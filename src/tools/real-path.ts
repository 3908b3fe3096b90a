import { promises } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

const MAX_LINKS = 40;

/** The path without a symbolic link in it, whether it exists or not; null when the links go round in a circle. */
export async function realPathOf(absolute: string, links = 0): Promise<string | null> {
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

/** The way down from a directory, `/` between the parts; "" for itself, null for what is not below it. */
export function below(directory: string, path: string): string | null {
  const way = relative(directory, path);
  if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) return null;
  return way.replaceAll(sep, "/");
}
