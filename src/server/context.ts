import type { Context } from "hono";
import type { Clock } from "../shared/clock.ts";
import { noAgent, workspaceNotFound } from "./refused.ts";
import type { WorkspaceIndex } from "./workspace-index.ts";
import type { Workspace } from "./workspace.ts";

/** What the routes share. */
export interface ServerContext {
  readonly version: string;
  readonly clock: Clock;
  readonly workspaces: WorkspaceIndex;
  /** A request whose body is larger is refused. */
  readonly bodyLimitBytes: number;
}

/** The workspace that the path names; 404 otherwise. */
export function workspaceOf(context: ServerContext, c: Context): Workspace {
  const workspace = context.workspaces.find(c.req.param("id") ?? "");
  if (workspace === null) throw workspaceNotFound();
  return workspace;
}

/** The same, where something is to be run; 400 for one that runs nothing. */
export function workingWorkspaceOf(context: ServerContext, c: Context): Workspace {
  const workspace = workspaceOf(context, c);
  if (!workspace.hasAgent) throw noAgent();
  return workspace;
}
