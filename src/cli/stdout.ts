import { fstatSync } from "node:fs";
import { isatty } from "node:tty";
import { failure } from "../protocol/ending.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { controlFilter } from "./control-filter.ts";
import { writeWithoutBlocking } from "./terminal-writes.ts";
import { writeWhole } from "./write-whole.ts";

/** The one way to standard output. */
export interface Stdout {
  readonly isTty: boolean;
  /** Resolves when the bytes are out of our hands; after a failure it resolves at once and writes nothing. */
  write(text: string): Promise<void>;
  /** Whether bytes are on their way to a reader that does not take them. */
  isStuck(): boolean;
  /** Why the output could not be written; null as long as it could. */
  failed(): RunAborted | null;
}

/** A write of at most this many bytes is waited for before the next. */
const PIECE = 64 * 1024;

/**
 * Takes standard output for the answer alone: whatever else in the process writes there (`console.log`, a library) goes to
 * standard error from now on. `onFailure` is called once, when the reader has left or the place is full.
 */
export function takeStdout(
  options: { readonly raw: boolean },
  onFailure: (why: RunAborted) => void,
): Stdout {
  const stream = process.stdout;
  writeWithoutBlocking(stream);
  const original = stream.write.bind(stream);
  stream.write = process.stderr.write.bind(process.stderr);
  let failed: RunAborted | null = null;
  let writing = 0;
  const fail = (error: NodeJS.ErrnoException): void => {
    if (failed !== null) return;
    failed = error.code === "EPIPE" ? new RunAborted("reader_left") : unwritable(error);
    onFailure(failed);
  };
  stream.on("error", fail);
  const send = isFile(stream)
    ? async (piece: Buffer) => writeWhole(stream.fd, piece)
    : async (piece: Buffer) =>
        await new Promise<void>((resolve, reject) => {
          original(piece, (error) => (error ? reject(error) : resolve()));
        });
  const isTty = stream.isTTY;
  const filter = isTty && !options.raw ? controlFilter() : (text: string) => text;
  const whole = joinPairs();
  return {
    isTty,
    write: async (text) => {
      const bytes = Buffer.from(whole(filter(text)));
      writing += 1;
      try {
        for (let at = 0; at < bytes.length; at += PIECE) {
          if (failed !== null) return;
          await send(bytes.subarray(at, at + PIECE));
        }
      } catch (error) {
        fail(error as NodeJS.ErrnoException);
      } finally {
        writing -= 1;
      }
    },
    isStuck: () => writing > 0,
    failed: () => failed,
  };
}

function isFile({ fd }: { readonly fd: number }): boolean {
  const stats = fstatSync(fd);
  return stats.isFile() || (stats.isCharacterDevice() && !isatty(fd));
}

/** A model may send the halves of a surrogate pair one by one: the first is held back until the second is there. */
function joinPairs(): (text: string) => string {
  let held = "";
  return (text) => {
    const all = held + text;
    held = /[\ud800-\udbff]$/.exec(all)?.[0] ?? "";
    return all.slice(0, all.length - held.length);
  };
}

function unwritable(error: NodeJS.ErrnoException): RunAborted {
  const message = `cannot write to standard output: ${error.code ?? error.message}`;
  const remedy = "free some space, or send the output elsewhere";
  return new RunAborted("output_write", failure("output_write", message, { remedy }));
}
