/** What one tool result may bring into the conversation. */
export const RESULT_LIMIT_BYTES = 32 * 1024;

/** The longest prefix of `text` within `maxBytes` of UTF-8, whole characters only. */
export function prefixWithin(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  // No character is shorter than its UTF-16 units in bytes: the slice holds enough.
  const bytes = Buffer.from(text.slice(0, maxBytes + 1));
  return bytes.subarray(0, characterEnd(bytes, maxBytes)).toString();
}

/** A line of at most `maxCharacters`, with a note when it was longer. */
export function shortLine(line: string, maxCharacters: number): string {
  if (line.length <= maxCharacters) return line;
  const last = line.charCodeAt(maxCharacters - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? maxCharacters - 1 : maxCharacters;
  return `${line.slice(0, end)}… [line cut: ${line.length} characters]`;
}

/** The first and the last bytes of an output of any length, in bounded memory. */
export class HeadTail {
  readonly #headLimit: number;
  readonly #tailLimit: number;
  readonly #head: Buffer[] = [];
  readonly #tail: Buffer[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  #total = 0;

  constructor(headLimit: number, tailLimit: number) {
    this.#headLimit = headLimit;
    this.#tailLimit = tailLimit;
  }

  /** Bytes pushed so far, kept or not. */
  get total(): number {
    return this.#total;
  }

  push(chunk: Buffer): void {
    this.#total += chunk.length;
    const room = this.#headLimit - this.#headBytes;
    const first = chunk.subarray(0, room);
    if (first.length > 0) this.#head.push(first);
    this.#headBytes += first.length;
    const rest = chunk.subarray(first.length);
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    for (
      let oldest = this.#tail[0];
      oldest !== undefined && this.#tailBytes - oldest.length >= this.#tailLimit;
      oldest = this.#tail[0]
    ) {
      this.#tailBytes -= oldest.length;
      this.#tail.shift();
    }
  }

  /** The text, with `note(bytes left out)` on a line of its own where bytes are missing. */
  text(note: (cutBytes: number) => string): { readonly text: string; readonly cutBytes: number } {
    const head = Buffer.concat(this.#head);
    const tail = Buffer.concat(this.#tail);
    if (this.#total <= this.#headLimit + this.#tailLimit)
      return { text: Buffer.concat([head, tail]).toString(), cutBytes: 0 };
    const kept = tail.subarray(Math.max(0, tail.length - this.#tailLimit));
    const before = head.subarray(0, characterEnd(head, head.length));
    const after = kept.subarray(characterStart(kept));
    const cutBytes = this.#total - before.length - after.length;
    return { text: `${before.toString()}\n${note(cutBytes)}\n${after.toString()}`, cutBytes };
  }
}

/** Where to cut at or before `end` so that the last character is whole; at most 3 bytes earlier. */
function characterEnd(bytes: Buffer, end: number): number {
  const stop = Math.min(end, bytes.length);
  for (let back = 1; back <= 3 && back <= stop; back += 1) {
    const byte = bytes[stop - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? stop - back : stop;
  }
  return stop;
}

/** The first byte that starts a character; at most 3 bytes in. */
function characterStart(bytes: Buffer): number {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}
