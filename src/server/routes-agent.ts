import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { toCamel } from "../protocol/case.ts";
import { failure, isReason, RunFailed, type Reason } from "../protocol/ending.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import { runOptionsSchema } from "../protocol/run-options.ts";
import type { AddRoute } from "./app.ts";
import { workspaceOf, type ServerContext } from "./context.ts";
import { readBody } from "./read-body.ts";
import { empty, json } from "./reply.ts";
import { sessionId } from "./routes-sessions.ts";

const promptSchema = z.object({
  session_id: z._default(z.string(), ""),
  run_id: z._default(z.string(), ""),
  prompt: z._default(z.string(), ""),
  options: z.optional(z.unknown()),
});

/** Prompts and cancels. protocol.md section 5.5, behaviour.md section 4.7. */
export function agentRoutes(add: AddRoute, context: ServerContext): void {
  const base = "/workspaces/:id/agent";
  const session = `${base}/sessions/:sid`;

  add("POST", base, async (c) => {
    const body = await readBody(c, promptSchema);
    const { dispatcher } = workspaceOf(context, c);
    const { prompt } = body;
    if (prompt === "")
      throw new RunFailed(failure("no_prompt", "prompt is empty", { remedy: "send a prompt" }));
    if (body.session_id === "") throw new RunFailed(failure("usage", "session id is missing"));
    const options = decodeOptions(body.options);
    const bodyHash = createHash("sha256")
      .update(JSON.stringify([body.session_id, prompt, options]))
      .digest("hex");
    const accepted = dispatcher.accept({
      sessionId: body.session_id as SessionId,
      runId: body.run_id === "" ? null : (body.run_id as RunId),
      kind: "prompt",
      prompt,
      attachments: [],
      clientId: null,
      options,
      bodyHash,
    });
    return json({ ...accepted, run_id: body.run_id }, 202);
  });
  add("POST", `${session}/cancel`, async (c) => {
    const { dispatcher } = workspaceOf(context, c);
    const reason = cancelReason(await c.req.text());
    return json({ ...dispatcher.cancelSession(sessionId(c), reason) });
  });
  add("POST", `${session}/prompts/clear`, (c) => {
    const { dispatcher } = workspaceOf(context, c);
    return json({ cleared: dispatcher.clearQueue(sessionId(c)) });
  });
  add("GET", `${session}/prompts/queued`, (c) =>
    json(workspaceOf(context, c).dispatcher.queued(sessionId(c)).length),
  );
  add("GET", `${session}/prompts/list`, (c) => {
    const queued = workspaceOf(context, c).dispatcher.queued(sessionId(c));
    return json(queued.map(({ prompt }) => prompt));
  });
  add("GET", base, (c) => {
    const { dispatcher, store } = workspaceOf(context, c);
    const busy = store.runs.openSessions().some(dispatcher.isBusy);
    return json({ is_busy: busy, is_ready: true, model: {}, model_cfg: {} });
  });
  // Nothing to prepare or reload here: each prompt resolves its own model and tools when its turn comes.
  add("POST", `${base}/init`, () => empty());
  add("POST", `${base}/update`, () => empty());
}

function decodeOptions(wire: unknown) {
  if (wire === undefined) return {};
  const parsed = z.safeParse(runOptionsSchema, toCamel(wire));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const message = `options.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`;
  throw new RunFailed(failure("usage", message));
}

/** Why somebody cancels: `{"reason": …}`, or nothing. */
export function cancelReason(body: string): Reason {
  try {
    const { reason } = JSON.parse(body) as { reason?: unknown };
    return isReason(reason) && reason !== "end_turn" ? reason : "by_client";
  } catch {
    return "by_client"; // no body: the plain cancel of every client
  }
}
