import { randomUUID } from "node:crypto";
import { openWorkspace, type WorkspaceClient } from "../client/client.ts";
import type { Flags } from "./flag-values.ts";
import { startEmbedded } from "./wiring.ts";
import { workingDirectory } from "./working-directory.ts";

/** The workspace that the flags name, of a server in this process, for as long as `work` takes. */
export async function withWorkspace<T>(
  flags: Flags,
  signal: AbortSignal,
  work: (client: WorkspaceClient) => Promise<T>,
): Promise<T> {
  const options = {
    path: workingDirectory(flags.text("cwd")),
    dataDir: flags.text("data-dir"),
    trustConfig: flags.flag("trust-config") ?? false,
  };
  const server = startEmbedded(process.env);
  try {
    const { transport } = server;
    return await work(
      await openWorkspace(transport, "http://crush.embedded", randomUUID(), options, signal),
    );
  } finally {
    await server.close();
  }
}
