import * as z from "zod/mini";

const MAX_CHARS = 128;

/** Any text that a client calls itself by: UUIDs as a rule, compared as they are. */
export const clientIdSchema = z.string().check(z.minLength(1), z.maxLength(MAX_CHARS));

/** What a client calls itself; null when it says nothing that could be a name. */
export function clientIdOf(value: unknown): string | null {
  const parsed = z.safeParse(clientIdSchema, value);
  return parsed.success ? parsed.data : null;
}
