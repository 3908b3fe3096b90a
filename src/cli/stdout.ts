import { failure } from "../protocol/ending.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { controlFilter } from "./control-filter.ts";

/** The one way to standard output. */
export interface Stdout {
  readonly isTty: boolean;
  /** Resolves when the bytes are out of our hands; after a failure it resolves at once and writes nothing. */
  write(text: string): Promise<void>;
  /** Why the output could not be written; null as long as it could. */
  failed(): RunAborted | null;
}

/** A write of at most this many characters is waited for before the next. */
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
  const original = stream.write.bind(stream);
  stream.write = process.stderr.write.bind(process.stderr);
  let failed: RunAborted | null = null;
  const fail = (error: NodeJS.ErrnoException): void => {
    if (failed !== null) return;
    failed = error.code === "EPIPE" ? new RunAborted("reader_left") : unwritable(error);
    onFailure(failed);
  };
  stream.on("error", fail);
  const writePiece = async (piece: string): Promise<void> =>
    await new Promise((resolve) => {
      if (failed !== null) return resolve();
      try {
        original(piece, "utf8", (error) => {
          if (error) fail(error);
          resolve();
        });
      } catch (error) {
        fail(error as NodeJS.ErrnoException); // a file is written synchronously
        resolve();
      }
    });
  const isTty = stream.isTTY;
  const filter = isTty && !options.raw ? controlFilter() : (text: string) => text;
  return {
    isTty,
    write: async (text) => {
      const clean = filter(text);
      for (let at = 0; at < clean.length; at += PIECE) await writePiece(pieceAt(clean, at));
    },
    failed: () => failed,
  };
}

/** A surrogate pair is not cut: `at` may stand behind its first half, which then went with the piece before. */
function pieceAt(text: string, at: number): string {
  const isLow = (index: number): boolean => {
    const unit = text.charCodeAt(index);
    return unit >= 0xdc00 && unit <= 0xdfff;
  };
  const from = isLow(at) ? at + 1 : at;
  const to = isLow(at + PIECE) ? at + PIECE + 1 : at + PIECE;
  return text.slice(from, to);
}

function unwritable(error: NodeJS.ErrnoException): RunAborted {
  const message = `cannot write to standard output: ${error.code ?? error.message}`;
  const remedy = "free some space, or send the output elsewhere";
  return new RunAborted("output_write", failure("output_write", message, { remedy }));
}
