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
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
  throw new RunFailed(failure("usage", `bad request: ${where}`));
}
