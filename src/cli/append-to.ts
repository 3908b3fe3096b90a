import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
} from "node:fs";
import { writeWhole } from "./write-whole.ts";

/**
 * Adds to a file that somebody else made, all or nothing: never through a symbolic link, never to what is no file. `make` is told how many
 * bytes are there. Throws when it cannot be done.
 */
export function appendTo(path: string, make: (size: number) => string): void {
  const seen = lstatSync(path);
  if (seen.isSymbolicLink()) throw new Error("it is a symbolic link");
  if (!seen.isFile()) throw new Error("it is no regular file");
  const file = openSync(path, FLAGS);
  try {
    const { size } = fstatSync(file);
    const before = size === 0 || endsLine(file, size) ? "" : "\n";
    const bytes = Buffer.from(before + make(size + before.length));
    try {
      writeWhole(file, bytes);
    } catch (error) {
      ftruncateSync(file, size); // half of it would be worse than nothing
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** Should it have been replaced since: a link is not followed, a pipe is not waited for. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function endsLine(file: number, size: number): boolean {
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last.toString() === "\n";
}
