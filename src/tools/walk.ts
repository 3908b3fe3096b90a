import type { Dirent } from "node:fs";
import { promises } from "node:fs";
import { dirname, join, relative } from "node:path";
import ignore, { type Ignore } from "ignore";
import { readRegularFile } from "./open-file.ts";

/** Ours and git's own files: never listed. */
const NEVER_LISTED = new Set([".git", ".crush"]);
const IGNORE_FILES = [".gitignore", ".crushignore"];

export interface Entry {
  /** Relative to where the walk began, `/` between the parts. */
  readonly path: string;
  readonly kind: "file" | "directory" | "link" | "other";
  /** 1 for the entries of the directory where the walk began. */
  readonly depth: number;
}

export interface Walk {
  /** Absolute path of the directory to begin in. */
  readonly root: string;
  readonly maxDepth: number;
  /** More patterns to leave out, in the language of .gitignore. */
  readonly ignore: readonly string[];
  readonly signal: AbortSignal;
}

interface Rules {
  /** The directory whose ignore files these are. */
  readonly base: string;
  readonly matcher: Ignore;
}

interface Level {
  readonly directory: string;
  readonly rules: readonly Rules[];
  readonly depth: number;
}

/**
 * The files and directories below `root`, level by level, names in order, without what the .gitignore and
 * .crushignore files on the way say. Links are listed, not followed. A directory that cannot be read is
 * skipped; only `root` itself throws.
 */
export async function* walk({
  root,
  maxDepth,
  ignore: extra,
  signal,
}: Walk): AsyncGenerator<Entry> {
  const asked: Rules = { base: root, matcher: ignore().add([...extra]) };
  const queue: Level[] = [{ directory: root, rules: await rulesAbove(root), depth: 1 }];
  for (let level = queue.shift(); level !== undefined; level = queue.shift()) {
    signal.throwIfAborted();
    const { directory, depth } = level;
    const rules = [...level.rules, ...(await rulesOf(directory))];
    for (const found of await list(directory, directory === root)) {
      const kind = kindOf(found);
      const path = join(directory, found.name);
      if (NEVER_LISTED.has(found.name)) continue;
      // What the caller leaves out, no file can bring back.
      const isDirectory = kind === "directory";
      if (isIgnored(rules, path, isDirectory) || isIgnored([asked], path, isDirectory)) continue;
      yield { path: relative(root, path).replaceAll("\\", "/"), kind, depth };
      if (kind === "directory" && depth < maxDepth)
        queue.push({ directory: path, rules, depth: depth + 1 });
    }
  }
}

async function list(directory: string, isRoot: boolean): Promise<Dirent[]> {
  try {
    const entries = await promises.readdir(directory, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isRoot) throw error;
    return []; // unreadable, or gone meanwhile
  }
}

function kindOf(found: Dirent): Entry["kind"] {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  return found.isSymbolicLink() ? "link" : "other";
}

/** The deepest file that says anything about a path decides, as in git. */
function isIgnored(rules: readonly Rules[], path: string, isDirectory: boolean): boolean {
  let ignored = false;
  for (const { base, matcher } of rules) {
    const name = relative(base, path).replaceAll("\\", "/");
    const verdict = matcher.test(isDirectory ? `${name}/` : name);
    if (verdict.ignored) ignored = true;
    else if (verdict.unignored) ignored = false;
  }
  return ignored;
}

/** Ignore files of the directories between the top of the repository and `root`, outermost first. */
async function rulesAbove(root: string): Promise<Rules[]> {
  const above: string[] = [];
  for (let at = root; ; at = dirname(at)) {
    if (await exists(join(at, ".git"))) break;
    if (dirname(at) === at) return []; // not a repository: nothing above counts
    above.unshift(dirname(at));
  }
  return (await Promise.all(above.map(rulesOf))).flat();
}

async function rulesOf(directory: string): Promise<Rules[]> {
  const texts = await Promise.all(
    IGNORE_FILES.map(async (name) => {
      const file = await readRegularFile(join(directory, name)).catch(() => "absent");
      return typeof file === "string" ? "" : file.bytes.toString();
    }),
  );
  const lines = texts.join("\n");
  return lines.trim() === "" ? [] : [{ base: directory, matcher: ignore().add(lines) }];
}

async function exists(path: string): Promise<boolean> {
  return promises.stat(path).then(
    () => true,
    () => false,
  );
}
