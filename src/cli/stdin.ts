import { isUtf8 } from "node:buffer";
import { fstatSync, readFileSync } from "node:fs";
import { failure, RunFailed } from "../protocol/ending.ts";
import { deferred } from "../shared/deferred.ts";
import { stdinKind } from "./stdin-kind.ts";
import { usage } from "./usage.ts";

export interface StdinOptions {
  /** False after `--no-stdin`. */
  readonly wanted: boolean;
  /** Longest wait for a byte. Milliseconds. */
  readonly waitMs: number;
  /** One line for stderr. */
  readonly note: (line: string) => void;
  readonly warn: (line: string) => void;
}

export const NOTE_AFTER_MS = 3_000;
/** No model takes as much; an input without end must not fill the memory. */
export const LONGEST_PROMPT_BYTES = 64 * 1024 * 1024;

/**
 * What stands on standard input, as text. Never read: a terminal, `/dev/null`, a closed descriptor, or after `--no-stdin`. A file is
 * read. A pipe or socket is read to its end, as long as it goes on within the wait: else `stdin_wait`. Rejects with
 * `signal.reason` when aborted, and with `usage` for an input that cannot be read, is no text or is longer than 64 MiB.
 */
export async function readStdin(options: StdinOptions, signal: AbortSignal): Promise<string> {
  const kind = options.wanted ? kindOf() : "none";
  if (kind === "none") return "";
  return textOf(kind === "file" ? readFile() : await readPipe(options, signal), options);
}

/** A byte that is no UTF-8 is common in logs and diffs, and stops nobody; a NUL is in no text. */
function textOf(bytes: Buffer, { warn }: StdinOptions): string {
  if (bytes.includes(0))
    throw usage(
      "standard input is no text",
      "attach images and PDFs with --file, or leave it alone with --no-stdin",
    );
  if (!isUtf8(bytes))
    warn("standard input is not all UTF-8; what is not reaches the model as \uFFFD");
  return bytes.toString("utf8");
}

function readFile(): Buffer {
  try {
    if (fstatSync(0).size > LONGEST_PROMPT_BYTES) throw tooLong();
    return readFileSync(0);
  } catch (error) {
    throw error instanceof RunFailed ? error : unreadable(error);
  }
}

function kindOf(): "none" | "file" | "pipe" {
  const kind = stdinKind();
  if (kind === "file") return "file";
  return kind === "pipe" || kind === "socket" ? "pipe" : "none";
}

async function readPipe(options: StdinOptions, signal: AbortSignal): Promise<Buffer> {
  const { stdin } = process;
  const chunks: Buffer[] = [];
  let length = 0;
  const { promise, resolve, reject } = deferred();
  const onAbort = (): void => reject(signal.reason as Error);
  const note = setTimeout(
    () => options.note("reading the prompt from standard input; --no-stdin leaves it alone"),
    NOTE_AFTER_MS,
  );
  const wait = setTimeout(() => reject(waited(options.waitMs)), options.waitMs);
  stdin.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > LONGEST_PROMPT_BYTES) reject(tooLong());
    chunks.push(chunk);
    wait.refresh();
  });
  stdin.once("end", () => resolve());
  stdin.once("error", (error) => reject(unreadable(error)));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(note);
    clearTimeout(wait);
    signal.removeEventListener("abort", onAbort);
    stdin.removeAllListeners();
    stdin.on("error", () => {}); // a late error of an input that nobody reads
    stdin.destroy();
  }
  return Buffer.concat(chunks);
}

const waited = (ms: number): RunFailed =>
  new RunFailed(
    failure("stdin_wait", `standard input is open, but nothing came for ${ms / 1000} s`, {
      remedy: "close it with </dev/null, or use --no-stdin, or raise --stdin-wait",
    }),
  );

const tooLong = (): RunFailed =>
  new RunFailed(
    failure("usage", `standard input is longer than ${LONGEST_PROMPT_BYTES / 1024 / 1024} MiB`, {
      remedy: "put it into a file and name the file in the prompt",
    }),
  );

const unreadable = (error: unknown): RunFailed =>
  new RunFailed(
    failure(
      "usage",
      `cannot read standard input: ${error instanceof Error ? error.message : String(error)}`,
      {
        remedy: "give it something to read, or use --no-stdin",
      },
    ),
    { cause: error },
  );
