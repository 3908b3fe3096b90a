import { isUtf8 } from "node:buffer";
import { monotonicMs, systemClock } from "../shared/clock.ts";
import { openNamed, readSome, readUpTo, type NamedFile } from "./named-file.ts";
import { LONGEST_PROMPT_BYTES, NOTE_AFTER_MS } from "./stdin.ts";
import { usage } from "./usage.ts";

const FLAG = "prompt-file";

export interface PromptFileOptions {
  /** Longest wait for a byte of a pipe. Milliseconds. */
  readonly waitMs: number;
  /** One line for stderr. */
  readonly note: (line: string) => void;
}

/**
 * The text of the file that `--prompt-file` names; a pipe is read to its end, as long as it goes on within the wait. Rejects with `usage`
 * for what is no text, and with `signal.reason`.
 */
export async function readPromptFile(
  path: string,
  options: PromptFileOptions,
  signal: AbortSignal,
): Promise<string> {
  const named = `--${FLAG} names ${path}`;
  using file = openNamed(named, path);
  const bytes = file.isPipe
    ? await readPipe(file, path, options, signal)
    : readUpTo(file, named, LONGEST_PROMPT_BYTES);
  if (bytes === null)
    throw usage(
      `${named}, which is longer than ${LONGEST_PROMPT_BYTES / 1024 / 1024} MiB`,
      "name that file in the prompt: the model can read it part by part",
    );
  if (bytes.includes(0))
    throw usage(`${named}, which is no text`, "attach images and PDFs with --file");
  if (!isUtf8(bytes))
    throw usage(`${named}, which is no UTF-8 text`, "convert it: iconv -f LATIN1 -t UTF-8");
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  if (text.trim() === "")
    throw usage(`${named}, which is empty`, `write the prompt into it, or leave --${FLAG} out`);
  return text;
}

const LONGEST_PAUSE_MS = 20;

/** Null when it is too long. */
async function readPipe(
  file: NamedFile,
  path: string,
  { waitMs, note }: PromptFileOptions,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  let heardAt = monotonicMs();
  const notesAt = heardAt + NOTE_AFTER_MS;
  let noted = false;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const chunk = readSome(file, `--${FLAG} names ${path}`);
    // Before anybody has opened it for writing, a pipe is at its end.
    if (chunk?.length === 0 && length > 0) return Buffer.concat(chunks);
    const now = monotonicMs();
    if (chunk !== null && chunk.length > 0) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > LONGEST_PROMPT_BYTES) return null;
      [heardAt, pauseMs] = [now, 1];
      continue;
    }
    if (now - heardAt >= waitMs)
      throw usage(
        `--${FLAG} names ${path}, a pipe, and nothing came for ${waitMs / 1000} s`,
        "write to it and close it, or raise --stdin-wait",
      );
    if (!noted && now >= notesAt) {
      noted = true;
      note(`reading the prompt from ${path}`);
    }
    await systemClock.sleep(pauseMs, signal);
  }
}
