import { failure, type RunFailure } from "../protocol/ending.ts";

/** A file beside standard output that a run writes: the answer, its events, a report. */
export interface SideFile extends Disposable {
  /** As the command line has them. */
  readonly flag: string;
  readonly path: string;
  /** Whether it can be written again after it was finished: not what has left through a pipe. */
  readonly isReplaced: boolean;
  /** More of it. Resolves when the bytes are out of our hands; after a failure it resolves at once and writes nothing. */
  write(text: string): Promise<void>;
  /** It is whole: what was written since the last time is the content of the file from now on. */
  finish(): Promise<void>;
  /** Why it could not be written; null as long as it could. */
  failed(): RunFailure | null;
}

/** What a system call that failed means for the run. */
export function unwritten(flag: string, path: string, error: unknown): RunFailure {
  const code = codeOf(error);
  const why = code === "EPIPE" ? "its reader left" : code;
  return failure("output_write", `cannot write ${path} of ${flag}: ${why}`, {
    remedy: "free some space, or name another file",
  });
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
