import { isUtf8 } from "node:buffer";
import { openNamed, readUpTo } from "./named-file.ts";
import { usage } from "./usage.ts";

/**
 * The text of an ordinary file that a flag names, without a byte order mark. `named` as for `openNamed`; `most` in bytes. Throws `usage`
 * with the remedy.
 */
export function readNamedText(named: string, path: string, most: number): string {
  using file = openNamed(named, path);
  if (file.isPipe) throw usage(`${named}, which is no ordinary file`, "copy it into one");
  const bytes = readUpTo(file, named, most);
  if (bytes === null)
    throw usage(`${named}, which is larger than ${most / 1024} KiB`, "shorten it");
  if (bytes.includes(0) || !isUtf8(bytes))
    throw usage(`${named}, which is no text`, "name a file with text in UTF-8");
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}
