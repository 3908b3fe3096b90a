import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates a directory and its missing parents, for us alone. Not `mkdirSync` with `recursive`: on Node 20 that never returns where the system
 * answers ENOENT although the parent exists (below /proc, for one). Throws what the file system says.
 */
export function ensureDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = path; !exists(at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
  for (const directory of missing.toReversed()) create(directory);
  if (missing.length === 0 && !statSync(path).isDirectory())
    throw Object.assign(new Error(`${path} is not a directory`), { code: "ENOTDIR" });
}

const exists = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return false;
    throw error;
  }
};

function create(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another process was faster.
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
