import { statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import type { Flags } from "./flag-values.ts";
import { usage } from "./usage.ts";

/** The directory that `--cwd` names, absolute; the current one without it. Throws `usage` when there is none. */
export function workingDirectory(flags: Pick<Flags, "text" | "named">): string {
  const asked = flags.text("cwd");
  if (asked === "") throw usage("--cwd is empty", "name a directory, or leave it out");
  const path = resolve(current(asked), asked ?? ".");
  try {
    if (statSync(path).isDirectory()) return path;
  } catch {
    // It is not there: said below.
  }
  throw usage(
    `${flags.named("cwd")} names ${path}, which is no directory`,
    "name a directory that exists",
  );
}

/** Not needed, and perhaps gone, when an absolute path was asked for. */
function current(asked: string | null): string {
  if (asked !== null && isAbsolute(asked)) return "/";
  try {
    return process.cwd();
  } catch {
    throw usage("the current directory is gone", "go to one that exists, or name one with --cwd");
  }
}
