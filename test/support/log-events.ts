import type { WireEvent } from "../../src/protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part, Role } from "../../src/protocol/message.ts";
import type { MessageEvent, RunComplete, TurnEvent } from "../../src/protocol/run-event.ts";

/** Events of one run, as the dispatcher publishes them. */
export interface RunWords {
  /** Any other event of the run. */
  does(event: TurnEvent): WireEvent;
  delta(text: string, messageId?: string): WireEvent;
  thought(text: string, messageId?: string): WireEvent;
  reset(messageId?: string): WireEvent;
  opened(messageId?: string, role?: Role): MessageEvent;
  finished(parts: readonly Part[], messageId?: string, role?: Role): MessageEvent;
  deleted(messageId?: string, role?: Role): MessageEvent;
  ended(text?: string): RunComplete;
}

export const END: Part = { type: "finish", reason: "end_turn", time: 9 };
export const textPart = (text: string): Part => ({ type: "text", text });

export function runWords(run = "r", session = "s"): RunWords {
  const runId = run as RunId;
  const sessionId = session as SessionId;
  const to = { runId, sessionId };
  const message = (
    lifecycle: MessageEvent["lifecycle"],
    id: string,
    role: Role,
    parts: readonly Part[],
  ): MessageEvent => ({
    type: "message",
    lifecycle,
    ...to,
    message: messageOf(id, session, role, parts),
  });
  return {
    does: (event) => ({ ...event, ...to }),
    delta: (text, id = "m") => ({ type: "text.delta", ...to, messageId: id as MessageId, text }),
    thought: (text, id = "m") => ({
      type: "reasoning.delta",
      ...to,
      messageId: id as MessageId,
      text,
    }),
    reset: (id = "m") => ({ type: "text.reset", ...to, messageId: id as MessageId }),
    opened: (id = "m", role = "assistant") => message("created", id, role, []),
    finished: (parts, id = "m", role = "assistant") => message("updated", id, role, parts),
    deleted: (id = "m", role = "assistant") => message("deleted", id, role, []),
    ended: (text = "") => ({
      type: "run_complete",
      ...to,
      messageId: null,
      text,
      cancelled: false,
      failure: null,
    }),
  };
}

const messageOf = (id: string, session: string, role: Role, parts: readonly Part[]): Message => ({
  id: id as MessageId,
  sessionId: session as SessionId,
  role,
  parts,
  model: "m",
  provider: "p",
  createdAt: 1,
  updatedAt: 1,
});
