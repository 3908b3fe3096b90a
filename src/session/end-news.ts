import type { WireEvent } from "../protocol/event-wire.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import type { StoredPrompt } from "../store/runs.ts";
import { isCancel } from "./outcome.ts";

/** How a prompt left: with a turn of its own, without one, or as part of another's. */
export type Departure = "after_turn" | "before_turn";

/**
 * What is told of the end of a prompt. One that nobody waits for has a terminal event only for a turn of its own (RUN-17, ERR-5); the
 * summary of a conversation has none. A cancel is no error (INV-15).
 */
export function endNews(
  { kind, runId, sessionId }: StoredPrompt,
  outcome: RunOutcome,
  departure: Departure,
  sessionTitle: () => string,
): readonly WireEvent[] {
  const { failure: what, text, messageId, reason, cancelledBy } = outcome;
  const cancelled = isCancel(reason);
  const news: WireEvent[] = [];
  if (kind === "prompt" && departure === "after_turn" && reason === "end_turn")
    news.push({
      type: "agent_notification",
      kind: "agent_finished",
      runId: null,
      sessionId,
      sessionTitle: sessionTitle(),
      providerId: null,
    });
  if (runId !== null || (kind === "prompt" && departure === "after_turn"))
    news.push({
      type: "run_complete",
      runId,
      sessionId,
      messageId,
      text,
      cancelled,
      failure: what,
      ...(cancelledBy === undefined ? {} : { cancelledBy }),
    });
  if (what !== null && !cancelled)
    news.push({ type: "agent_error", runId, sessionId, error: what.message });
  return news;
}
