import { isUtf8 } from "node:buffer";
import { extname } from "node:path";

/** What a file is, by its content. */
export interface AttachmentKind {
  readonly mimeType: string;
  readonly isText: boolean;
}

interface Binary {
  readonly mimeType: string;
  readonly endings: readonly string[];
  readonly matches: (bytes: Buffer) => boolean;
}

const at = (bytes: Buffer, offset: number, latin1: string): boolean =>
  bytes.toString("latin1", offset, offset + latin1.length) === latin1;

/** What every API of a model that reads files has a form for. */
const BINARIES: readonly Binary[] = [
  {
    mimeType: "image/png",
    endings: [".png"],
    matches: (bytes) => at(bytes, 0, "\u0089PNG\r\n\u001a\n"),
  },
  {
    mimeType: "image/jpeg",
    endings: [".jpg", ".jpeg"],
    matches: (bytes) => at(bytes, 0, "\u00ff\u00d8\u00ff"),
  },
  {
    mimeType: "image/gif",
    endings: [".gif"],
    matches: (bytes) => at(bytes, 0, "GIF87a") || at(bytes, 0, "GIF89a"),
  },
  {
    mimeType: "image/webp",
    endings: [".webp"],
    matches: (bytes) => at(bytes, 0, "RIFF") && at(bytes, 8, "WEBP"),
  },
  { mimeType: "application/pdf", endings: [".pdf"], matches: (bytes) => at(bytes, 0, "%PDF-") },
];

export const ATTACHABLE = "UTF-8 text, PNG, JPEG, GIF, WebP and PDF";

/** Null for what cannot be attached, and for a text under the name of an image or a PDF. Cannot throw. */
export function attachmentKind(path: string, bytes: Buffer): AttachmentKind | null {
  const found = BINARIES.find(({ matches }) => matches(bytes));
  if (found !== undefined) return { mimeType: found.mimeType, isText: false };
  if (isNamedAsBinary(path) || bytes.includes(0) || !isUtf8(bytes)) return null;
  return { mimeType: "text/plain", isText: true };
}

/** Whether the name promises an image or a PDF. */
export const isNamedAsBinary = (path: string): boolean =>
  BINARIES.some(({ endings }) => endings.includes(extname(path).toLowerCase()));
