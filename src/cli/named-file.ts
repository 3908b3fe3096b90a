import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { RunFailed } from "../protocol/ending.ts";
import { usage } from "./usage.ts";

/** A file that a flag names, open for reading; what is read never blocks. */
export interface NamedFile extends Disposable {
  readonly descriptor: number;
  /** A FIFO, or `<(command)` of a shell. */
  readonly isPipe: boolean;
}

/** Opens a file or a pipe. `named` says who names it: `--file names notes.txt`. Throws `usage` with that and a remedy. */
export function openNamed(named: string, path: string): NamedFile {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a FIFO that nobody writes to would keep us for ever.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw unusable(named, error);
  }
  const file = { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
  try {
    const about = fstatSync(descriptor);
    if (about.isFile() || about.isFIFO()) return { ...file, isPipe: about.isFIFO() };
    throw about.isDirectory()
      ? usage(`${named}, which is a directory`, "name one file in it")
      : usage(`${named}, which is no ordinary file`, "copy it into one");
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

const CHUNK_BYTES = 64 * 1024;

/** What is there to be read, or null when it is more than `limit` bytes. Throws like `openNamed`. */
export function readUpTo(file: NamedFile, named: string, limit: number): Buffer | null {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = readSome(file, named);
    if (chunk === null || chunk.length === 0) return Buffer.concat(chunks);
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) return null;
  }
}

/** The next bytes; empty at the end; null when a pipe has none at the moment. Throws like `openNamed`. */
export function readSome({ descriptor }: NamedFile, named: string): Buffer | null {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    return Buffer.from(chunk.subarray(0, readSync(descriptor, chunk))); // a copy: a pipe gives little at a time
  } catch (error) {
    if (codeOf(error) === "EAGAIN") return null;
    throw unusable(named, error);
  }
}

function unusable(named: string, cause: unknown): RunFailed {
  const code = codeOf(cause);
  const { failure } =
    code === "ENOENT"
      ? usage(`${named}, which is not there`, "name a file that exists")
      : code === "EACCES" || code === "EPERM"
        ? usage(`${named}, which this user may not read`, "make it readable, or name another")
        : usage(`${named}, which cannot be read (${code})`, "name a file that can be read");
  return new RunFailed(failure, { cause });
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);
