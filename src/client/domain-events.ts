import type { WireEvent } from "../protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../protocol/ids.ts";
import type { AgentNotification, MessageEvent } from "../protocol/run-event.ts";

/** What a program that shows sessions to a person is told: no wire, no deltas, and a cancel is never an error. */
export type DomainEvent =
  | {
      readonly type: "notification";
      readonly kind: "error" | AgentNotification["kind"];
      readonly sessionId: SessionId;
      readonly sessionTitle: string;
      readonly runId: RunId | null;
      /** Of an error: its text. */
      readonly message: string;
      /** Whose credentials are refused; null for other news. */
      readonly providerId: string | null;
    }
  | {
      readonly type: "terminal";
      readonly sessionId: SessionId;
      readonly runId: RunId | null;
      readonly messageId: MessageId | null;
      readonly text: string;
      /** Null when there is none. A cancelled run may have one: look at `cancelled` first. */
      readonly error: string | null;
      readonly cancelled: boolean;
    }
  | MessageEvent
  /** Ask anew whether the session is busy, and what waits in it. */
  | { readonly type: "refresh"; readonly sessionId: SessionId }
  /** Events were lost: ask anew for whatever is shown. */
  | { readonly type: "refresh_all" };

/** The domain events of one event of the wire; none for the inner events of a run, which are for who reads deltas. */
export function domainEvents(event: WireEvent): readonly DomainEvent[] {
  switch (event.type) {
    case "agent_error": {
      const sessionId = event.sessionId as SessionId;
      const notification = {
        type: "notification",
        kind: "error",
        sessionId,
        sessionTitle: "",
        runId: event.runId as RunId | null,
        message: event.error,
        providerId: null,
      } as const;
      return [notification, { type: "refresh", sessionId }];
    }
    case "agent_notification": {
      const { kind, sessionId, sessionTitle, runId, providerId } = event;
      const message = "";
      return [{ type: "notification", kind, sessionId, sessionTitle, runId, message, providerId }];
    }
    case "run_complete": {
      const { sessionId, runId, messageId, text, failure, cancelled } = event;
      const error = failure?.message ?? null;
      return [{ type: "terminal", sessionId, runId, messageId, text, error, cancelled }];
    }
    case "message":
      return [event];
    case "gap":
      return [{ type: "refresh_all" }];
    default:
      return [];
  }
}
