import { createHash, randomUUID } from "node:crypto";

/** Correlator chosen by the submitting client, unique per prompt; echoed on every event of its run. */
export type RunId = string & { readonly __brand: "RunId" };
/** One conversation in a workspace; the unit of serialisation. */
export type SessionId = string & { readonly __brand: "SessionId" };
/** One project directory hosted by a server. Random, never reused, lost on restart. */
export type WorkspaceId = string & { readonly __brand: "WorkspaceId" };
/** One message of a session. */
export type MessageId = string & { readonly __brand: "MessageId" };

export const newRunId = (): RunId => randomUUID() as RunId;
export const newSessionId = (): SessionId => randomUUID() as SessionId;
/** The session of a run that has one of its own, a copy of `forkOf` or a new one: the same each time. */
export function sessionIdOf(runId: RunId, forkOf: SessionId | null): SessionId {
  const hash = createHash("sha256")
    .update(JSON.stringify([runId, forkOf]))
    .digest("hex");
  const groups = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`];
  return [...groups, `8${hash.slice(17, 20)}`, hash.slice(20, 32)].join("-") as SessionId;
}

export const newWorkspaceId = (): WorkspaceId => randomUUID() as WorkspaceId;
export const newMessageId = (): MessageId => randomUUID() as MessageId;
