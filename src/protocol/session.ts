import * as z from "zod/mini";
import type { Json } from "../shared/json.ts";
import type { MessageId, SessionId } from "./ids.ts";

/** One conversation. Times are Unix seconds; `cost` is US dollars, null when a price was unknown. */
export interface Session {
  readonly id: SessionId;
  readonly parentSessionId: SessionId | null;
  readonly title: string;
  readonly messageCount: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number | null;
  /** From this message on the conversation is what the model is shown; null for all of it. */
  readonly summaryMessageId: MessageId | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** As the wire carries it (protocol.md section 9.1): no null, absent text is `""`. */
export function encodeSession(session: Session, isBusy: boolean): Json {
  return {
    id: session.id,
    parent_session_id: session.parentSessionId ?? "",
    title: session.title,
    message_count: session.messageCount,
    prompt_tokens: session.promptTokens,
    completion_tokens: session.completionTokens,
    summary_message_id: session.summaryMessageId ?? "",
    cost: session.cost ?? 0,
    created_at: session.createdAt,
    updated_at: session.updatedAt,
    is_busy: isBusy,
    attached_clients: 0,
  };
}

const sessionSchema = z.object({
  id: z.string(),
  parent_session_id: z._default(z.string(), ""),
  title: z._default(z.string(), ""),
  updated_at: z._default(z.number(), 0),
  message_count: z.optional(z.number()),
  is_busy: z._default(z.boolean(), false),
});

/** What a client needs of a session to choose one. */
export interface SessionRef {
  readonly id: SessionId;
  readonly parentSessionId: SessionId | null;
  readonly title: string;
  readonly updatedAt: number;
  /** Nothing was said in it, and nothing is about to be. */
  readonly isEmpty: boolean;
}

/**
 * The one to go on with, of those with the last changed first. A run that was refused leaves a session in which nothing was said: that one
 * only if there is no other.
 */
export const lastSession = <S extends SessionRef | Session>(
  sessions: readonly S[],
): S | undefined =>
  sessions.find((one) => ("isEmpty" in one ? !one.isEmpty : one.messageCount > 0)) ?? sessions[0];

/** Throws when the value is not a session. */
export function decodeSessionRef(wire: unknown): SessionRef {
  const session = z.parse(sessionSchema, wire);
  return {
    id: session.id as SessionId,
    parentSessionId:
      session.parent_session_id === "" ? null : (session.parent_session_id as SessionId),
    title: session.title,
    updatedAt: session.updated_at,
    isEmpty: session.message_count === 0 && !session.is_busy,
  };
}
