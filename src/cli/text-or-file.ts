import { resolve } from "node:path";
import { MOST_SYSTEM_BYTES } from "../protocol/run-options.ts";
import { readNamedText } from "./named-text.ts";
import { usage } from "./usage.ts";

/**
 * The value of a flag that is `TEXT` or `@FILE`, without the line ends behind it; `@@` begins a text with an `@`. Null when the flag
 * was not given. A file is found from where the command was started. Throws `usage` that calls the flag `flag`.
 */
export function textOrFile(flag: string, value: string | null): string | null {
  if (value === null) return null;
  if (value === "@") throw usage(`${flag} names no file`, "put its name behind the @");
  const isFile = value.startsWith("@") && !value.startsWith("@@");
  const place = isFile ? `${flag} names ${value.slice(1)}, which` : flag;
  const said = isFile ? textOf(flag, value.slice(1)) : value.replace(/^@@/, "@");
  const text = said.replace(/[\r\n]+$/, "");
  if (text.trim() === "") throw usage(`${place} is empty`, "give it a text, or leave it out");
  if (Buffer.byteLength(text) > MOST_SYSTEM_BYTES)
    throw usage(`${place} is larger than ${MOST_SYSTEM_BYTES / 1024} KiB`, "shorten it");
  return text;
}

const textOf = (flag: string, path: string): string =>
  readNamedText(`${flag} names ${path}`, resolve(path), MOST_SYSTEM_BYTES);
