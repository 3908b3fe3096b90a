import { RunFailed } from "../protocol/ending.ts";
import { matchSession } from "../protocol/match-session.ts";
import type { SessionRef } from "../protocol/session.ts";
import type { WorkspaceClient } from "./client.ts";

/** The session that a person names: by its full id, which costs one look, or as `crush session list` shows it. */
export async function findSession(
  client: Pick<WorkspaceClient, "getSession" | "listSessions">,
  typed: string,
  signal: AbortSignal,
): Promise<SessionRef> {
  try {
    return await client.getSession(typed, signal);
  } catch (error) {
    if (!(error instanceof RunFailed) || error.failure.reason !== "unknown_session") throw error;
  }
  const { sessionHash } = await import("../protocol/session-hash.ts");
  const sessions = await client.listSessions(signal);
  const ids = sessions.map(({ id }) => id);
  const id = matchSession(typed, ids, await sessionHash());
  return sessions.find((session) => session.id === id) ?? (await client.getSession(id, signal));
}
