import { isAbsolute } from "node:path";
import * as z from "zod/mini";
import { failure, RunFailed } from "../protocol/ending.ts";
import { openStore } from "../store/store.ts";
import type { AddRoute } from "./app.ts";
import { workspaceOf, type ServerContext } from "./context.ts";
import { eventStream } from "./event-stream.ts";
import { readBody } from "./read-body.ts";
import { empty, json, Reply } from "./reply.ts";
import { encodeWorkspace, openWorkspace, type Workspace } from "./workspace.ts";

const createSchema = z.object({
  path: z.string(),
  client_id: z.optional(z.string()),
  data_dir: z.optional(z.string()),
  trust_config: z.optional(z.boolean()),
});

/** Workspaces, their clients and their event stream. protocol.md sections 2, 5.3 and 6. */
export function workspaceRoutes(add: AddRoute, context: ServerContext): void {
  const { workspaces, version } = context;
  const show = (workspace: Workspace) => encodeWorkspace(workspace, version);
  const release = async (workspace: Workspace, clientId: string): Promise<void> => {
    workspace.clients.delete(clientId);
    if (workspace.clients.size > 0) return;
    workspaces.delete(workspace.id);
    await workspace.close();
  };

  add("GET", "/workspaces", () => json([...workspaces.values()].map(show)));
  add("POST", "/workspaces", async (c) => {
    const body = await readBody(c, createSchema);
    if (!isAbsolute(body.path))
      throw new RunFailed(failure("usage", "path is not absolute: send the absolute directory"));
    const config = await context.loadConfig(
      {
        path: body.path,
        dataDir: body.data_dir ?? null,
        trustConfig: body.trust_config ?? false,
      },
      c.req.raw.signal,
    );
    const known = [...workspaces.values()].find(
      (workspace) => workspace.config.workingDirectory === config.workingDirectory,
    );
    const workspace =
      known ??
      openWorkspace({
        config,
        store: openStore(config.dataDirectory, { limitBytes: context.storeLimitBytes }),
        prepareTurn: context.prepareTurn(config),
        clock: context.clock,
        random: context.random,
        onInterrupted: context.onInterrupted,
      });
    workspaces.set(workspace.id, workspace);
    if (body.client_id !== undefined) workspace.clients.add(body.client_id);
    return json(show(workspace));
  });
  add("GET", "/workspaces/:id", (c) => json(show(workspaceOf(context, c))));
  add("DELETE", "/workspaces/:id", async (c) => {
    const workspace = workspaces.get(c.req.param("id") ?? "");
    if (workspace !== undefined) await release(workspace, c.req.query("client_id") ?? "");
    return empty();
  });
  add("DELETE", "/clients/:client", async (c) => {
    const clientId = c.req.param("client") ?? "";
    const held = [...workspaces.values()].filter(({ clients }) => clients.has(clientId));
    await Promise.all(held.map(async (workspace) => await release(workspace, clientId)));
    return empty();
  });
  add("GET", "/workspaces/:id/events", (c) => {
    const { log } = workspaceOf(context, c);
    const resume = c.req.header("last-event-id") ?? "";
    const known = /^\d+$/.test(resume) && Number(resume) <= log.head();
    const after = known ? Number(resume) : log.head();
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-store",
      "x-accel-buffering": "no",
    };
    return new Reply(200, headers, eventStream(log, after, c.req.raw.signal));
  });
}
