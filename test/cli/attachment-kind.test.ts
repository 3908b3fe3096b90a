import * as fc from "fast-check";
import { expect, test } from "vitest";
import { attachmentKind } from "../../src/cli/attachment-kind.ts";

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

test.each([
  ["image/png", latin1("\u0089PNG\r\n\u001a\n...")],
  ["image/jpeg", latin1("\u00ff\u00d8\u00ff\u00e1")],
  ["image/gif", latin1("GIF87a")],
  ["image/gif", latin1("GIF89a\u0000")],
  ["image/webp", latin1("RIFF\u0000\u0000\u0000\u0000WEBPVP8L")],
  ["application/pdf", latin1("%PDF-2.0")],
])("%s is known by its first bytes, whatever its name", (mimeType, bytes) => {
  for (const name of ["a", "a.txt", "a.png", "a.pdf"])
    expect(attachmentKind(name, bytes)).toEqual({ mimeType, isText: false });
});

test.each([
  ["a sound in the same container", latin1("RIFF\u0000\u0000\u0000\u0000WAVEfmt ")],
  ["a bitmap", latin1("BM\u0000\u0000")],
  ["an archive", latin1("PK\u0003\u0004\u0000")],
  ["half a signature", latin1("\u0089PN")],
  ["text in Latin-1", latin1("caf\u00e9")],
  ["text in UTF-16", Buffer.from("hi", "utf16le")],
])("%s is of no kind", (_, bytes) => {
  expect(attachmentKind("a", bytes)).toBeNull();
});

test("every text is a text, unless its name promises something else", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
      fc.constantFrom("a", "a.md", "a.svg", "png", ".png.txt"),
      fc.constantFrom("a.png", "a.JPG", "a.jpeg", "a.gif", "a.webp", "A.PDF"),
      (text, name, promising) => {
        const bytes = Buffer.from(text);
        expect(attachmentKind(name, bytes)).toEqual({ mimeType: "text/plain", isText: true });
        expect(attachmentKind(promising, bytes)).toBeNull();
      },
    ),
    { examples: [["\uFEFFmarked", "a", "a.png"]] },
  );
});

test("whatever the bytes are, nothing throws, and what is taken for a text comes back as it was", () => {
  const comesBack = (array: Uint8Array): boolean => {
    const bytes = Buffer.from(array);
    const isText = attachmentKind("a", bytes)?.isText ?? false;
    return !isText || Buffer.from(bytes.toString("utf8")).equals(bytes);
  };
  expect(() => fc.assert(fc.property(fc.uint8Array(), comesBack))).not.toThrow();
});
