import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { promises } from "node:fs";

/** A file tool holds a file in memory: this much at most. */
const FILE_LIMIT_BYTES = 16 * 1024 * 1024;

export interface OpenedFile {
  readonly bytes: Buffer;
  /** For `FileTracker`. */
  readonly digest: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/**
 * The bytes of a regular file, or why it will not be read, as the rest of a sentence about it. Never blocks
 * on a FIFO or device, never follows a link in the last component. Throws the system's errors (`ENOENT` …).
 */
export async function readRegularFile(path: string): Promise<OpenedFile | string> {
  // Without O_NONBLOCK, opening a FIFO waits for its writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let file: FileHandle;
  try {
    file = await promises.open(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") return "is a socket, not a file";
    throw error;
  }
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) return "is a directory";
    if (!stat.isFile()) return "is a device, pipe or socket, not a file";
    if (stat.size > FILE_LIMIT_BYTES)
      return `is too large (${stat.size} bytes; the limit is ${FILE_LIMIT_BYTES})`;
    const bytes = await file.readFile();
    return {
      bytes,
      digest: digestOf(bytes),
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
    };
  } finally {
    await file.close();
  }
}

/** Why these bytes are not text, or null. A NUL byte near the beginning is the sign that `git` goes by, too. */
export function binaryKind(bytes: Buffer): string | null {
  const signature = SIGNATURES.find(([start]) => bytes.subarray(0, start.length).equals(start));
  if (signature !== undefined) return signature[1];
  return bytes.subarray(0, 8192).includes(0) ? "binary data" : null;
}

export const isText = (bytes: Buffer): boolean => binaryKind(bytes) === null && isUtf8(bytes);

const SIGNATURES = [
  [Buffer.from("\x89PNG\r\n", "latin1"), "a PNG image"],
  [Buffer.from("\xff\xd8\xff", "latin1"), "a JPEG image"],
  [Buffer.from("GIF8", "latin1"), "a GIF image"],
  [Buffer.from("%PDF-", "latin1"), "a PDF document"],
  [Buffer.from("PK\x03\x04", "latin1"), "a ZIP archive"],
  [Buffer.from("\x1f\x8b", "latin1"), "gzip data"],
  [Buffer.from("\x7fELF", "latin1"), "an executable"],
] as const;
