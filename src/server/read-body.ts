import type { Context } from "hono";
import * as z from "zod/mini";
import { failure, RunFailed } from "../protocol/ending.ts";

/** The request's JSON body, checked. Throws `usage` (400) that names the field. */
export async function readBody<T>(c: Context, schema: z.ZodMiniType<T>): Promise<T> {
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch {
    throw new RunFailed(failure("usage", "failed to decode request"));
  }
  const parsed = z.safeParse(schema, body);
  if (parsed.success) return parsed.data;
  throw new RunFailed(failure("usage", `bad request: ${wordsOf(parsed.error)}`));
}

/** The first fault of a body, with the field that it is in. */
export function wordsOf({ issues }: z.core.$ZodError, ...above: readonly string[]): string {
  const [issue] = issues;
  return [[...above, ...(issue?.path ?? [])].join("."), issue?.message ?? "is not valid"]
    .filter((word) => word !== "")
    .join(": ");
}
