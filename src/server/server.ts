import type { Transport } from "../protocol/http.ts";
import { systemAlarm } from "../shared/alarm.ts";
import { createApp, inMemoryTransport } from "./app.ts";
import { workspaceIndex, type IndexOptions } from "./workspace-index.ts";

/** A server in this process. */
export interface EmbeddedServer {
  readonly transport: Transport;
  /** Cancels what still runs, settles it and closes every store. Bounded by the runs' own `killAfter`. */
  close(): Promise<void>;
}

interface ServerOptions
  extends Omit<IndexOptions, OwnChoice>, Partial<Pick<IndexOptions, OwnChoice>> {
  readonly version: string;
  readonly bodyLimitBytes?: number;
}

/** Left to us, its one client is never lost sight of: both end together. */
type OwnChoice = "claimTimes" | "setAlarm" | "onLastClosed";

const BODY_LIMIT_BYTES = 32 * 1024 * 1024;

export function embeddedServer({ version, ...options }: ServerOptions): EmbeddedServer {
  const workspaces = workspaceIndex({
    claimTimes: null,
    setAlarm: systemAlarm,
    onLastClosed: () => {},
    ...options,
  });
  const bodyLimitBytes = options.bodyLimitBytes ?? BODY_LIMIT_BYTES;
  const app = createApp({ version, clock: options.clock, workspaces, bodyLimitBytes });
  return { transport: inMemoryTransport(app), close: workspaces.close };
}
