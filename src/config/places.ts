import { existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

export type Env = Readonly<Record<string, string | undefined>>;

/** The directories of the person who runs us; null when there is no home directory to find them in. */
export interface UserDirectories {
  readonly home: string | null;
  /** `$CRUSH_GLOBAL_CONFIG`, `$XDG_CONFIG_HOME/crush` or `~/.config/crush`. */
  readonly config: string | null;
  /** `$CRUSH_GLOBAL_DATA`, `$XDG_DATA_HOME/crush` or `~/.local/share/crush`. */
  readonly data: string | null;
}

/** protocol.md section 10.1. Cannot throw; touches no file. */
export function userDirectories(cwd: string, env: Env): UserDirectories {
  const home = homeDirectory(env);
  const under = (...names: string[]): string | null =>
    home === null ? null : join(home, ...names);
  const local = process.platform === "win32" ? env["LOCALAPPDATA"] : undefined;
  const data = xdg(env["XDG_DATA_HOME"]) ?? local ?? under(".local", "share");
  const config = xdg(env["XDG_CONFIG_HOME"]) ?? under(".config");
  return {
    home,
    config: named(cwd, env["CRUSH_GLOBAL_CONFIG"]) ?? (config && join(config, "crush")),
    data: named(cwd, env["CRUSH_GLOBAL_DATA"]) ?? (data && join(data, "crush")),
  };
}

const named = (cwd: string, path: string | undefined): string | null =>
  path === undefined || path === "" ? null : resolve(cwd, path);

/** The XDG specification has relative paths ignored. */
const xdg = (path: string | undefined): string | null =>
  path !== undefined && isAbsolute(path) ? path : null;

function homeDirectory(env: Env): string | null {
  const home = env["HOME"];
  if (home !== undefined && home !== "") return home;
  try {
    return homedir();
  } catch {
    return null; // a uid without a passwd entry, as containers have
  }
}

/**
 * The directories from the git worktree's root down to `cwd`; `cwd` alone outside a worktree. A `.git` directory
 * or file marks the root; git itself is not asked.
 */
export function projectDirectories(cwd: string): readonly [root: string, ...rest: string[]] {
  const upwards: string[] = [];
  for (let dir = cwd; ; dir = dirname(dir)) {
    upwards.unshift(dir);
    if (existsSync(join(dir, ".git"))) return [dir, ...upwards.slice(1)];
    if (dirname(dir) === dir) return [cwd];
  }
}

/**
 * What comes with the code: the worktree, or just `cwd` where the worktree holds the home directory too (dotfiles kept in git): a
 * stranger's folder there must not count all of it as its own.
 */
export function codeRoot(cwd: string, root: string, home: string | null): string {
  return home !== null && isInside(root, realPath(home)) ? cwd : root;
}

/** Flag, configuration, the nearest existing `.crush` up to the worktree's root, `<cwd>/.crush`. */
export function dataDirectory(
  cwd: string,
  project: readonly string[],
  home: string | null,
  configured: string | null,
): string {
  if (configured !== null && configured !== "") return resolve(cwd, configured);
  const nearest = project
    .filter((dir) => dir !== home)
    .map((dir) => join(dir, ".crush"))
    .findLast(isDirectory);
  return nearest ?? join(cwd, ".crush");
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false; // a link in a circle, a parent that may not be searched: whoever uses it will say so
  }
}

/** Links resolved, as far as the path exists. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** Whether `path` is `directory` or inside it; both absolute. */
export function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
