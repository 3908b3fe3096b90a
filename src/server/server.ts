import type { Transport } from "../protocol/http.ts";
import { createApp, inMemoryTransport } from "./app.ts";
import type { ServerContext } from "./context.ts";

/** A server in this process. */
export interface EmbeddedServer {
  readonly transport: Transport;
  /** Cancels what still runs, settles it and closes every store. Bounded by the runs' own `killAfter`. */
  close(): Promise<void>;
}

export function embeddedServer(options: Omit<ServerContext, "workspaces">): EmbeddedServer {
  const context: ServerContext = { ...options, workspaces: new Map() };
  return {
    transport: inMemoryTransport(createApp(context)),
    close: async () => {
      const open = [...context.workspaces.values()];
      context.workspaces.clear();
      await Promise.allSettled(open.map(async (workspace) => await workspace.close()));
    },
  };
}
