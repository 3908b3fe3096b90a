import { resolve } from "node:path";
import { below, realPathOf } from "./real-path.ts";
import { failed } from "./tool-result.ts";
import type { ToolContext, ToolResult } from "./tool.ts";

/** File systems whose "files" are the kernel: a read may block for ever, a write may do anything. */
const KERNEL_ROOTS = ["/dev", "/proc", "/sys"];
/**
 * What the store holds open. Whoever closes such a file anywhere in this process gives up SQLite's locks on it (POSIX asks for that):
 * others would take us for dead, or write where we write.
 */
const OF_STORE = /(^|\/)(crush-run\.db(-wal|-shm|-journal)?|owners\/[\da-f-]{36}\.db(-journal)?)$/;

/** A path a file tool may touch. `path` is real: no component of it was a symbolic link when we looked. */
export interface GuardedPath {
  readonly path: string;
  /** As the model should see it: inside the working directory relative to it, `.` for itself. */
  readonly shown: string;
}

/**
 * Resolves what the model wrote against the working directory, symbolic links included (for a file that does not exist yet: those of
 * its nearest existing parent), and asks leave for what that is. A fence for file tools, not a sandbox: open what it returns with
 * `O_NOFOLLOW`.
 */
export async function guardedPath(
  { cwd, permit }: Pick<ToolContext, "cwd" | "permit">,
  written: string,
): Promise<GuardedPath | ToolResult> {
  if (written.includes("\0")) return failed("the path contains a NUL character");
  const meant = resolve(cwd, written);
  const path = await realPathOf(meant);
  if (path === null) return failed(`${written}: too many symbolic links`);
  const refused = await permit({ kind: "path", path: { real: path, written: meant } });
  if (refused !== null) return refused;
  if (KERNEL_ROOTS.some((root) => below(root, path) !== null))
    return failed(`${written}: devices and kernel files are not for file tools`);
  if (OF_STORE.test(path))
    return failed(`${written}: this run's own records are not for file tools`);
  return { path, shown: shownPath(cwd, path) };
}

export function isGuarded(value: GuardedPath | ToolResult): value is GuardedPath {
  return "path" in value;
}

export const shownPath = (cwd: string, path: string): string => (below(cwd, path) ?? path) || ".";
