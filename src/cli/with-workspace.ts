import { randomUUID } from "node:crypto";
import { openWorkspace, type WorkspaceClient } from "../client/client.ts";
import type { Flags } from "./flag-values.ts";
import { oneLine } from "./one-line.ts";
import { startWithoutAgent } from "./wiring.ts";
import { workspaceFlags } from "./workspace-flags.ts";

/**
 * The workspace that the flags name, of a server in this process that runs nothing itself, for as long as `work` takes. A configuration that
 * cannot be read keeps nobody from it.
 */
export async function withWorkspace<T>(
  flags: Flags,
  signal: AbortSignal,
  work: (client: WorkspaceClient) => Promise<T>,
): Promise<T> {
  const options = workspaceFlags(flags);
  const server = startWithoutAgent(process.env);
  try {
    const { transport } = server;
    const url = "http://crush.embedded";
    const client = await openWorkspace(transport, url, randomUUID(), options, signal);
    for (const warning of client.warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
    return await work(client);
  } finally {
    await server.close();
  }
}
