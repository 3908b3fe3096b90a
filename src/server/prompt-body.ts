import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { attachmentOf, attachmentSchema } from "../protocol/attachment.ts";
import { toCamel } from "../protocol/case.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import { runOptionsSchema, type RunOptions } from "../protocol/run-options.ts";
import type { PromptRequest } from "../session/take-prompt.ts";
import { clientIdSchema, givenIdSchema, plainSchema } from "./given-id.ts";
import { wordsOf } from "./read-body.ts";

/** `POST …/agent`. protocol.md sections 4.4 and 7.5; `client_id` and `options` are ours. */
export const promptSchema = z.object({
  session_id: z._default(plainSchema, ""),
  run_id: z._default(givenIdSchema, ""),
  prompt: z._default(z.string(), ""),
  attachments: z._default(z.array(attachmentSchema), []),
  client_id: z.optional(clientIdSchema),
  options: z.optional(z.unknown()),
});

/** A schema that cannot be used is refused before the prompt is accepted. Throws `usage` (400). */
export async function checkSchema({ schema }: RunOptions): Promise<void> {
  if (schema === undefined) return;
  const { compileSchema } = await import("../protocol/answer-schema.ts");
  const compiled = compileSchema(schema);
  if (typeof compiled !== "string") return;
  throw new RunFailed(failure("usage", `options.schema: ${compiled}`));
}

/** Throws `usage` (400) for options that cannot be read. What the prompt lacks is for its acceptance to find. */
export function promptRequestOf(body: z.infer<typeof promptSchema>): PromptRequest {
  const { session_id: sessionId, run_id: runId, prompt } = body;
  const attachments = body.attachments.map(attachmentOf);
  const options = decodeOptions(body.options);
  // Without attachments it is the hash that older versions have stored.
  const hashed = [sessionId, prompt, options, ...(attachments.length > 0 ? [attachments] : [])];
  return {
    kind: "prompt",
    sessionId: sessionId as SessionId,
    runId: runId === "" ? null : (runId as RunId),
    prompt,
    attachments,
    clientId: body.client_id ?? null,
    options,
    bodyHash: createHash("sha256").update(JSON.stringify(hashed)).digest("hex"),
  };
}

function decodeOptions(wire: unknown): RunOptions {
  if (wire === undefined) return {};
  const parsed = z.safeParse(runOptionsSchema, toCamel(wire));
  if (parsed.success) return parsed.data;
  throw new RunFailed(failure("usage", wordsOf(parsed.error, "options")));
}
