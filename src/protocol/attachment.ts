import * as z from "zod/mini";
import type { Json } from "../shared/json.ts";

/** A file sent with a prompt. protocol.md section 7.5. */
export interface Attachment {
  readonly path: string;
  readonly name: string;
  readonly mimeType: string;
  /** Standard base64, padded. */
  readonly content: string;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const text = z._default(z.string(), "");
/** On the wire: all four keys, of which only `content` must be there. */
export const attachmentSchema = z.object({
  file_path: text,
  file_name: text,
  mime_type: text,
  content: z.string().check(z.regex(BASE64, "is not base64")),
});

export const attachmentOf = (wire: z.infer<typeof attachmentSchema>): Attachment => ({
  path: wire.file_path,
  name: wire.file_name,
  mimeType: wire.mime_type,
  content: wire.content,
});

export const encodeAttachment = ({ path, name, mimeType, content }: Attachment): Json => ({
  file_path: path,
  file_name: name,
  mime_type: mimeType,
  content,
});

/** Its content is part of the prompt's text; every other one goes to the model as a file. */
export const isText = ({ mimeType }: Pick<Attachment, "mimeType">): boolean =>
  mimeType.startsWith("text/");
