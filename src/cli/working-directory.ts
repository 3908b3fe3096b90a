import { statSync } from "node:fs";
import { resolve } from "node:path";
import { usage } from "./usage.ts";

/** The directory that `--cwd` names, absolute; the current one without it. Throws `usage` when there is none. */
export function workingDirectory(asked: string | null): string {
  const path = resolve(asked ?? ".");
  try {
    if (statSync(path).isDirectory()) return path;
  } catch {
    // It is not there: said below.
  }
  throw usage(`--cwd names ${path}, which is no directory`, "name a directory that exists");
}
