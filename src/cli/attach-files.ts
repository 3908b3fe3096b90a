import { basename, relative } from "node:path";
import { isInside, realPath } from "../config/places.ts";
import type { Attachment } from "../protocol/attachment.ts";
import { ATTACHABLE, attachmentKind, isNamedAsBinary } from "./attachment-kind.ts";
import { openNamed, readUpTo } from "./named-file.ts";
import { usage } from "./usage.ts";

const FLAG = "file";
const MIB = 1024 * 1024;
/** A longer text does not fit the usual context; the model reads it better part by part. */
const LONGEST_TEXT_BYTES = MIB;
/** What the strictest of the usual APIs takes, and is worth a model's while. */
const LARGEST_FILE_BYTES = 10 * MIB;
/** Base64 makes a third more of it, and APIs take requests of 32 MiB at most. */
const LARGEST_SUM_BYTES = 20 * MIB;

/** The files that `--file` names, read. Throws `usage` that names flag, file and remedy. */
export function attachFiles(paths: readonly string[], cwd: string): readonly Attachment[] {
  let sum = 0;
  return paths.map((path) => {
    const bytes = readFile(path);
    sum += bytes.length;
    if (sum > LARGEST_SUM_BYTES)
      throw usage(
        `--${FLAG} names more than ${LARGEST_SUM_BYTES / MIB} MiB in all, with ${path}`,
        "attach less, or name the files in the prompt",
      );
    return {
      path: shownPath(path, cwd),
      name: basename(path),
      mimeType: typeOf(path, bytes),
      content: bytes.toString("base64"),
    };
  });
}

function readFile(path: string): Buffer {
  const named = `--${FLAG} names ${path}`;
  using file = openNamed(named, path);
  if (file.isPipe)
    throw usage(
      `${named}, which is a pipe`,
      "pipe text into crush run itself, or name an ordinary file",
    );
  const bytes = readUpTo(file, named, LARGEST_FILE_BYTES);
  if (bytes === null)
    throw usage(
      `${named}, which is larger than ${LARGEST_FILE_BYTES / MIB} MiB`,
      "attach a smaller one, or name the file in the prompt",
    );
  if (bytes.length === 0)
    throw usage(`${named}, which is empty`, `leave it out, or name another file`);
  return bytes;
}

function typeOf(path: string, bytes: Buffer): string {
  const named = `--${FLAG} names ${path}`;
  const kind = attachmentKind(path, bytes);
  if (kind === null)
    throw isNamedAsBinary(path)
      ? usage(`${named}, whose content is not what its name says`, "see what is in the file")
      : usage(
          `${named}, which is of no kind that can be attached`,
          `attach ${ATTACHABLE}; or convert the file, or name it in the prompt`,
        );
  if (kind.isText && bytes.length > LONGEST_TEXT_BYTES)
    throw usage(
      `${named}, a text longer than ${LONGEST_TEXT_BYTES / MIB} MiB`,
      "name the file in the prompt: the model can read it part by part",
    );
  return kind.mimeType;
}

/** As context files are named to the model: from the working directory where it holds the file, else in full. */
function shownPath(path: string, cwd: string): string {
  const [root, real] = [realPath(cwd), realPath(path)];
  return isInside(root, real) ? relative(root, real) : path;
}
