import { randomUUID } from "node:crypto";
import { chmodSync, closeSync, fsync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunFailure } from "../protocol/ending.ts";
import { codeOf, unwritten, type SideFile } from "./side-file.ts";
import { writeWhole } from "./write-whole.ts";

/** What stands there before the file is whole, and after a process that was killed. */
const TEMPORARY = ".crush-run-";
/** Of file systems that cannot flush. */
const NO_FLUSH: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

interface Replaced {
  readonly flag: string;
  readonly path: string;
  /** Absolute, and no link. */
  readonly target: string;
  /** Of the file that is there now: who may read it stays who may read it. Null for a new one. */
  readonly mode: number | null;
}

/**
 * A file that is replaced in one step: a reader finds the old content or the new one, whole and on the disk. Throws the error of the system
 * when the place cannot be written.
 */
export function replacedFile({ flag, path, target, mode }: Replaced): SideFile {
  const directory = dirname(target);
  let failed: RunFailure | null = null;
  let open: { readonly fd: number; readonly temporary: string } | null = null;
  const begin = (): { readonly fd: number; readonly temporary: string } => {
    const temporary = join(directory, `${TEMPORARY}${randomUUID()}`);
    const fd = openSync(temporary, "wx");
    if (mode !== null) chmodSync(temporary, mode & 0o777);
    return { fd, temporary };
  };
  const drop = (): void => {
    if (open === null) return;
    const { fd, temporary } = open;
    open = null;
    closeSync(fd);
    rmSync(temporary, { force: true });
  };
  const attempt = async (work: () => Promise<void> | void): Promise<void> => {
    if (failed !== null) return;
    try {
      await work();
    } catch (error) {
      failed = unwritten(flag, path, error);
      drop();
    }
  };
  open = begin();
  drop();
  return {
    flag,
    path,
    isReplaced: true,
    write: async (text) =>
      await attempt(() => {
        open ??= begin();
        writeWhole(open.fd, Buffer.from(text));
      }),
    finish: async () =>
      await attempt(async () => {
        open ??= begin();
        await flushed(open.fd);
        if (open === null) return; // dropped meanwhile
        const { fd, temporary } = open;
        renameSync(temporary, target);
        open = null;
        closeSync(fd);
        await settledIn(directory);
      }),
    failed: () => failed,
    [Symbol.dispose]: drop,
  };
}

async function flushed(fd: number): Promise<void> {
  const error = await new Promise<Error | null>((resolve) => fsync(fd, resolve));
  if (error !== null && !NO_FLUSH.has(codeOf(error))) throw error;
}

/** The new name on the disk too; best effort: the file is there, and not every file system can. */
async function settledIn(directory: string): Promise<void> {
  try {
    const fd = openSync(directory, "r");
    await new Promise((resolve) => fsync(fd, resolve));
    closeSync(fd);
  } catch {
    // As good as it gets.
  }
}
