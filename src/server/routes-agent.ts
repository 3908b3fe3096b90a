import type { StoredPrompt } from "../store/runs.ts";
import type { Json } from "../shared/json.ts";
import type { AddRoute } from "./app.ts";
import { cancelOf } from "./cancel-body.ts";
import { workingWorkspaceOf, workspaceOf, type ServerContext } from "./context.ts";
import { checkSchema, promptRequestOf, promptSchema } from "./prompt-body.ts";
import { readBody } from "./read-body.ts";
import { empty, json } from "./reply.ts";
import { sessionId } from "./routes-sessions.ts";

/** Prompts and cancels. protocol.md section 5.5, behaviour.md section 4.7. */
export function agentRoutes(add: AddRoute, context: ServerContext): void {
  const base = "/workspaces/:id/agent";
  const session = `${base}/sessions/:sid`;

  add("POST", base, async (c) => {
    const request = promptRequestOf(await readBody(c, promptSchema));
    await checkSchema(request.options);
    const accepted = workingWorkspaceOf(context, c).dispatcher.accept(request);
    return json({ ...accepted, run_id: request.runId ?? "" }, 202);
  });
  add("GET", base, (c) => {
    const { dispatcher, store, hasAgent } = workspaceOf(context, c);
    const busy = store.runs.openSessions().some(dispatcher.isBusy);
    return json({ is_busy: busy, is_ready: hasAgent, model: {}, model_cfg: {} });
  });
  // Nothing to prepare, reload or replace: each prompt resolves its own model and tools when its turn comes (W-35).
  for (const path of ["/init", "/update"])
    add("POST", `${base}${path}`, (c) => {
      workspaceOf(context, c);
      return empty();
    });

  add("POST", `${session}/cancel`, async (c) => {
    const { reason, by } = cancelOf(await c.req.text());
    return json({ ...workspaceOf(context, c).dispatcher.cancelSession(sessionId(c), reason, by) });
  });
  // Bound to the workspace, like every run: a client that goes away meanwhile does not end it.
  add("POST", `${session}/summarize`, async (c) => {
    const { by } = cancelOf(await c.req.text());
    await workingWorkspaceOf(context, c).dispatcher.summarize(sessionId(c), by);
    return empty();
  });
  add("POST", `${session}/prompts/clear`, async (c) => {
    const { by } = cancelOf(await c.req.text());
    return json({ cleared: workspaceOf(context, c).dispatcher.clearQueue(sessionId(c), by) });
  });
  add("GET", `${session}/prompts`, (c) =>
    json(workspaceOf(context, c).dispatcher.queued(sessionId(c)).map(waitingPrompt)),
  );
  add("GET", `${session}/prompts/queued`, (c) =>
    json(workspaceOf(context, c).dispatcher.queued(sessionId(c)).length),
  );
  add("GET", `${session}/prompts/list`, (c) => {
    const queued = workspaceOf(context, c).dispatcher.queued(sessionId(c));
    return json(queued.map(({ prompt }) => prompt));
  });
}

/** A prompt that waits, with its place among those that wait, from 1. */
const waitingPrompt = ({ runId, clientId, now, prompt }: StoredPrompt, index: number): Json => ({
  run_id: runId,
  position: index + 1,
  client_id: clientId,
  accepted_at: now,
  prompt,
});
