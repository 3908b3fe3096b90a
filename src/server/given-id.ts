import * as z from "zod/mini";

const MAX_CHARS = 128;
/** The store would cut the text off at a NUL, and half a character is every other half. */
const PLAIN = /^[^\p{Cc}\p{Cs}]*$/u;

/** A text without control characters; may be empty. */
export const plainSchema = z.string().check(z.regex(PLAIN, "has control characters"));

/** An id that a client gives; may be empty, for none. */
export const givenIdSchema = plainSchema.check(z.maxLength(MAX_CHARS, "is too long"));

/** What a client calls itself by: UUIDs as a rule, compared as they are. */
export const clientIdSchema = givenIdSchema.check(z.minLength(1));

/** What a client calls itself; null when it says nothing that could be a name. */
export function clientIdOf(value: unknown): string | null {
  const parsed = z.safeParse(clientIdSchema, value);
  return parsed.success ? parsed.data : null;
}
