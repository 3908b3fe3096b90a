import type { Context } from "hono";
import type { Config } from "../config/config.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { RunId } from "../protocol/ids.ts";
import type { PrepareTurn } from "../session/prepare-turn.ts";
import type { Clock } from "../shared/clock.ts";
import type { Workspace } from "./workspace.ts";

export interface WorkspaceRequest {
  /** Absolute. */
  readonly path: string;
  readonly dataDir: string | null;
  readonly trustConfig: boolean;
}

/** What the routes share. */
export interface ServerContext {
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly workspaces: Map<string, Workspace>;
  readonly loadConfig: (request: WorkspaceRequest, signal: AbortSignal) => Promise<Config>;
  /** Readiness of a prompt under a workspace's configuration; it wires model, tools and system prompt. */
  readonly prepareTurn: (config: Config) => PrepareTurn;
  /** A process died in this run: end what it left behind. Must not throw. */
  readonly onInterrupted: (runId: RunId) => void;
  /** Bound of the store's file; null for none. */
  readonly storeLimitBytes: number | null;
}

/** The workspace that the path names; 404 otherwise. */
export function workspaceOf(context: ServerContext, c: Context): Workspace {
  const workspace = context.workspaces.get(c.req.param("id") ?? "");
  if (workspace === undefined) throw new NotFound("workspace not found");
  return workspace;
}

/** A 404 that is not about a session or a run. */
export class NotFound extends RunFailed {
  constructor(message: string) {
    super(failure("usage", message));
  }
}
