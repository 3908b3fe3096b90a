import { isAbsolute } from "node:path";
import * as z from "zod/mini";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { AddRoute } from "./app.ts";
import { clientIdOf, clientIdSchema } from "./given-id.ts";
import { workspaceOf, type ServerContext } from "./context.ts";
import { eventStream } from "./event-stream.ts";
import { readBody } from "./read-body.ts";
import { empty, json, Reply } from "./reply.ts";
import { whileAttached } from "./while-attached.ts";
import { encodeWorkspace, type Workspace } from "./workspace.ts";

const pathSchema = z.string().check(z.refine((path) => !path.includes("\0"), "has a NUL"));
const createSchema = z.object({
  path: pathSchema,
  client_id: z.optional(clientIdSchema),
  data_dir: z.optional(pathSchema),
  trust_config: z.optional(z.boolean()),
  isolated: z.optional(z.boolean()),
  config_file: z.optional(pathSchema),
});

/** Workspaces, their clients and their event stream. protocol.md sections 2, 5.3 and 6. */
export function workspaceRoutes(add: AddRoute, context: ServerContext): void {
  const { workspaces, version } = context;
  const show = (workspace: Workspace) => encodeWorkspace(workspace, version);

  add("GET", "/workspaces", () => json(workspaces.all().map(show)));
  add("POST", "/workspaces", async (c) => {
    const body = await readBody(c, createSchema);
    if (!isAbsolute(body.path))
      throw new RunFailed(failure("usage", "path is not absolute: send the absolute directory"));
    if (body.config_file !== undefined && !isAbsolute(body.config_file))
      throw new RunFailed(failure("usage", "config_file is not absolute: send the absolute path"));
    const request = {
      path: body.path,
      dataDir: body.data_dir ?? null,
      trustConfig: body.trust_config ?? false,
      isolated: body.isolated ?? false,
      configFile: body.config_file ?? null,
    };
    return json(show(await workspaces.open(request, body.client_id ?? null, c.req.raw.signal)));
  });
  add("GET", "/workspaces/:id", (c) => json(show(workspaceOf(context, c))));
  add("DELETE", "/workspaces/:id", async (c) => {
    const clientId = clientIdOf(c.req.query("client_id"));
    if (clientId === null) throw new RunFailed(failure("usage", "client_id is required"));
    await workspaces.release(c.req.param("id") ?? "", clientId);
    return empty();
  });
  add("DELETE", "/clients/:client", async (c) => {
    const clientId = clientIdOf(c.req.param("client"));
    if (clientId !== null) await workspaces.retire(clientId);
    return empty();
  });
  add("GET", "/workspaces/:id/events", (c) => {
    const workspace = workspaceOf(context, c);
    const { log } = workspace;
    const resume = c.req.header("last-event-id") ?? "";
    const known = /^\d+$/.test(resume) && Number(resume) <= log.head();
    const after = known ? Number(resume) : log.head();
    const isLost = resume !== "" && !known;
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-store",
      "x-accel-buffering": "no",
    };
    const { signal } = c.req.raw;
    const deltas = c.req.query("delta") === "1";
    const stream = eventStream({ log, after, isLost, deltas }, signal);
    // Subscribed first, then counted: nothing that is told after it counts is missed (SSE-9).
    const detach = workspaces.attach(workspace, clientIdOf(c.req.query("client_id")));
    return new Reply(200, headers, whileAttached(stream, detach, signal));
  });
}
