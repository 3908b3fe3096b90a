import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { promises } from "node:fs";
import { basename, dirname, join } from "node:path";
import { digestOf, type OpenedFile, readRegularFile } from "./open-file.ts";
import type { FileTracker } from "./tool.ts";

/** What is there before a tool writes: the file, nothing, or why it must not be written. */
export type Before =
  | { readonly type: "file"; readonly file: OpenedFile }
  | { readonly type: "absent" }
  | { readonly type: "refused"; readonly why: string };

/** Reads what a write would replace. A file that this session has not seen as it is now is refused. */
export async function lookBefore(path: string, files: FileTracker): Promise<Before> {
  let file: OpenedFile | string;
  try {
    file = await readRegularFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { type: "absent" };
    throw error;
  }
  if (typeof file === "string") return { type: "refused", why: file };
  const seen = files.lastSeen(path);
  if (seen === file.digest) return { type: "file", file };
  const why =
    seen === null
      ? "has not been read in this session; view it first"
      : "has changed since it was last read; view it again";
  return { type: "refused", why };
}

/**
 * Puts `bytes` at `path` in one step: a reader sees the old file or the new one. Keeps mode and owner of the
 * file it replaces; makes missing directories; leaves no temporary file behind. Records what it wrote. Returns
 * false, and changes nothing, when the file is no longer what `before` says.
 */
export async function replaceFile(
  path: string,
  bytes: Buffer,
  before: Exclude<Before, { type: "refused" }>,
  files: FileTracker,
): Promise<boolean> {
  const directory = dirname(path);
  await promises.mkdir(directory, { recursive: true });
  const temporary = join(
    directory,
    `.${basename(path).slice(0, 200)}.${randomBytes(6).toString("hex")}`,
  );
  try {
    await create(temporary, bytes, before);
    if (!(await isStill(path, before))) return false;
    await promises.rename(temporary, path);
  } finally {
    await promises.rm(temporary, { force: true });
  }
  files.record(path, digestOf(bytes));
  return true;
}

async function create(
  path: string,
  bytes: Buffer,
  before: Exclude<Before, { type: "refused" }>,
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await promises.open(path, flags, 0o666);
  try {
    if (before.type === "file") await takeOver(file, before.file);
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

async function takeOver(file: FileHandle, old: OpenedFile): Promise<void> {
  const own = await file.stat();
  if (own.uid !== old.uid || own.gid !== old.gid)
    await file.chown(old.uid, old.gid).catch(() => {}); // only root may give a file away
  await file.chmod(old.mode);
}

/** Somebody may have written between our look and now; what they wrote must not be lost. */
async function isStill(
  path: string,
  before: Exclude<Before, { type: "refused" }>,
): Promise<boolean> {
  const now = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (before.type === "absent") return now === null;
  return now !== null && typeof now !== "string" && now.digest === before.file.digest;
}
