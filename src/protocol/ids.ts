import { randomUUID } from "node:crypto";

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
export const newWorkspaceId = (): WorkspaceId => randomUUID() as WorkspaceId;
export const newMessageId = (): MessageId => randomUUID() as MessageId;
