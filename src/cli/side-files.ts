import { accessSync, constants, fstatSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { statSync, type Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isatty } from "node:tty";
import { RunFailed } from "../protocol/ending.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { directFile } from "./direct-file.ts";
import { replacedFile } from "./replaced-file.ts";
import { isDescriptor, isUnopened } from "./shell-descriptor.ts";
import { codeOf, type SideFile } from "./side-file.ts";
import { usage } from "./usage.ts";

/** A file that a flag asks for. */
export interface WantedFile {
  /** With its dashes. */
  readonly flag: string;
  /** As it was given; relative to where the command was started, as in a redirection. */
  readonly path: string;
}

/** Where it leads. */
interface Place extends WantedFile {
  /** Absolute, and no link unless it is written directly. */
  readonly target: string;
  /** Null when nothing is there yet. */
  readonly stats: Stats | null;
  /** A pipe, a device or a descriptor of the shell: nothing to put another file in the place of. */
  readonly isDirect: boolean;
}

/**
 * Opens the files beside standard output that a command line asks for, in its order: all, or none. Rejects with `usage` when one of them
 * cannot be written, so that this is known before anything is sent. `signal` ends the wait for the reader of a pipe.
 */
export async function openSideFiles(
  wanted: readonly WantedFile[],
  signal: AbortSignal,
): Promise<readonly SideFile[]> {
  const places: Place[] = [];
  const files: SideFile[] = [];
  try {
    for (const one of wanted) {
      const place = placeOf(one);
      refuseTaken(place, places);
      places.push(place);
      files.push(await openPlace(place, signal));
    }
    return files;
  } catch (error) {
    for (const file of files) file[Symbol.dispose]();
    throw error;
  }
}

async function openPlace(
  { flag, path, target, stats, isDirect }: Place,
  signal: AbortSignal,
): Promise<SideFile> {
  try {
    if (isDirect) return await directFile(flag, target, signal);
    if (STORE.test(basename(target)))
      throw usage(`${flag} names ${path}, which keeps sessions and runs`, "name another file");
    if (stats !== null) accessSync(target, constants.W_OK);
    return replacedFile({ flag, path, target, mode: stats?.mode ?? null });
  } catch (error) {
    if (error instanceof RunFailed || error instanceof RunAborted) throw error;
    throw unusable({ flag, path }, codeOf(error));
  }
}

/** Throws `usage`. */
function placeOf({ flag, path }: WantedFile): Place {
  if (path === "") throw usage(`${flag} is empty`, "name a file");
  if (path === "-")
    throw usage(`${flag} is "-"`, "name a file; standard output carries the answer anyway");
  try {
    const stats = statSync(path, { throwIfNoEntry: false }) ?? null;
    const place = { flag, path, stats };
    if (stats !== null && isUnopened(path))
      throw usage(
        `${flag} names ${path}, which is not open for writing`,
        `open it in the shell, as in ${path.replace(/^.*\D/, "")}>FILE, or name a file`,
      );
    if (stats !== null && (isDescriptor(path) || stats.isFIFO() || stats.isCharacterDevice()))
      return { ...place, target: resolve(path), isDirect: true };
    if (stats?.isFile() === false || path.endsWith("/")) throw unusable(place, "it is no file");
    return { ...place, target: targetOf(resolve(path)), isDirect: false };
  } catch (error) {
    throw error instanceof RunFailed ? error : unusable({ flag, path }, codeOf(error));
  }
}

/** Ours, and that of Crush. To put an answer in its place would lose all that is in it. */
const STORE = /^crush(-run)?\.db(-wal|-shm|-journal)?$/;
const MOST_LINKS = 40;

/** What a path means for who creates a file: links are followed, also one that leads to nothing yet. */
function targetOf(path: string, links = 0): string {
  const place = join(realpathSync(dirname(path)), basename(path));
  const stats = lstatSync(place, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink() !== true) return place;
  if (links === MOST_LINKS) throw new Error("too many links");
  return targetOf(resolve(dirname(place), readlinkSync(place)), links + 1);
}

/** Two writers of one file would spoil it; devices such as /dev/null have room for all. */
function refuseTaken({ flag, target, stats }: Place, others: readonly Place[]): void {
  const other = others.find((one) => one.target === target || isSame(one.stats, stats));
  if (other !== undefined && stats?.isCharacterDevice() !== true)
    throw usage(`${other.flag} and ${flag} name the same file`, "name two files");
  for (const [fd, stream] of STREAMS)
    if (isSame(statsOf(fd), stats) && (stats?.isCharacterDevice() !== true || isatty(fd)))
      throw usage(`${flag} names the file that ${stream} goes to`, "name another file");
}

const STREAMS = [
  [1, "standard output"],
  [2, "standard error"],
] as const;

/** Null when it is closed. */
function statsOf(fd: number): Stats | null {
  try {
    return fstatSync(fd);
  } catch {
    return null;
  }
}

const isSame = (one: Stats | null, other: Stats | null): boolean =>
  one !== null && one.dev === other?.dev && one.ino === other.ino;

const unusable = ({ flag, path }: WantedFile, why: string): RunFailed =>
  usage(
    `${flag} names ${JSON.stringify(path)}, which cannot be written: ${why}`,
    "name a file in a directory that exists and may be written",
  );
