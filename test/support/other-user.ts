import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Nobody has this number, and no line of /etc/passwd names it. */
export const STRANGER = 54_321;
const isRoot = process.getuid?.() === 0;

/**
 * Runs `work` as a user who may not write what is not his: root, who may write everything, becomes somebody else for that long. Others stay
 * who they are; `work` must meet a directory that they may not write (mode 0555).
 */
export function asOrdinaryUser<T>(work: () => T): T {
  if (isRoot) process.seteuid?.(STRANGER);
  try {
    return work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

/** The built executable in a place that every user can read; the checkout need not be one. Gone at the end of its scope. */
export function publicInstall(): { readonly crush: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), "crush-public-"));
  const binaries = `prebuilds/${process.platform}-${process.arch}`;
  const parts = ["bin", "dist", "node_modules/node-gyp-build"];
  for (const part of ["package.json", "dist", binaries])
    parts.push(join("node_modules/@photostructure/sqlite", part));
  for (const part of parts) {
    mkdirSync(dirname(join(root, part)), { recursive: true });
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  openToAll(root);
  return {
    crush: join(root, "bin/crush"),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Everybody may read what is below. */
export function openToAll(directory: string): void {
  execFileSync("chmod", ["-R", "a+rX", directory]);
}

/**
 * Runs a command to its end as a user without a line in /etc/passwd; as root for real, else in a user namespace, in which the
 * files are still ours.
 */
export function asStranger(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): { readonly status: number | null; readonly stdout: string; readonly stderr: Buffer } {
  const id = String(STRANGER);
  const namespace = ["unshare", "--user", `--map-user=${id}`, `--map-group=${id}`];
  const [file = "", ...args] = isRoot ? command : [...namespace, ...command];
  const identity = isRoot ? { uid: STRANGER, gid: STRANGER } : {};
  const ended = spawnSync(file, args, {
    ...options,
    ...identity,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
  });
  if (ended.error !== undefined) throw ended.error;
  return { status: ended.status, stdout: ended.stdout.toString(), stderr: ended.stderr };
}
