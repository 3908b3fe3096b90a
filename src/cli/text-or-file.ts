import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { MOST_SYSTEM_BYTES } from "../protocol/run-options.ts";
import { usage } from "./usage.ts";

/**
 * The value of a flag that is `TEXT` or `@FILE`, without the line ends behind it; `@@` begins a text with an `@`. Null when the flag
 * was not given. A file is found from where the command was started. Throws `usage` that calls the flag `flag`.
 */
export function textOrFile(flag: string, value: string | null): string | null {
  if (value === null) return null;
  const isFile = value.startsWith("@") && !value.startsWith("@@");
  if (value === "@") throw usage(`${flag} names no file`, "put its name behind the @");
  const place = isFile ? `${flag} names ${value.slice(1)}, which` : flag;
  const said = isFile ? textOf(place, value.slice(1)) : value.replace(/^@@/, "@");
  const text = said.replace(/[\r\n]+$/, "");
  if (text.trim() === "") throw usage(`${place} is empty`, "give it a text, or leave it out");
  if (Buffer.byteLength(text) > MOST_SYSTEM_BYTES) throw tooBig(place);
  return text;
}

function textOf(place: string, path: string): string {
  const bytes = bytesOf(place, path);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes); // without a byte order mark
    if (!text.includes("\0")) return text;
  } catch {
    // Said below.
  }
  throw usage(`${place} is no text`, "name a file with text in UTF-8");
}

function bytesOf(place: string, path: string): Buffer {
  const descriptor = opened(place, path);
  try {
    const about = fstatSync(descriptor);
    if (!about.isFile()) throw usage(`${place} is no ordinary file`, "name one");
    if (about.size > MOST_SYSTEM_BYTES) throw tooBig(place);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function opened(place: string, path: string): number {
  try {
    // Without O_NONBLOCK a FIFO that nobody writes to would keep us for ever.
    return openSync(resolve(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw usage(
      `${place} cannot be read (${why})`,
      "name a file that can be read, or write @@ for a text that begins with @",
    );
  }
}

const tooBig = (place: string) =>
  usage(`${place} is larger than ${MOST_SYSTEM_BYTES / 1024} KiB`, "shorten it");
