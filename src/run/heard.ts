import type { MessageId } from "../protocol/ids.ts";
import type { RunEvent } from "../protocol/run-event.ts";

/** What the events of a run told that its record does not say, or cannot when it is out of reach. */
export interface Heard {
  readonly model: string | null;
  readonly messageId: MessageId | null;
  /** Of the last message, so far. */
  readonly text: string;
  /** Milliseconds since the start of the process. */
  readonly firstRequestAfterMs: number | null;
  readonly firstTokenAfterMs: number | null;
}

export const NOTHING_HEARD: Heard = {
  model: null,
  messageId: null,
  text: "",
  firstRequestAfterMs: null,
  firstTokenAfterMs: null,
};

/** One event of the run in, heard this long after the start of the process. */
export function hear(heard: Heard, event: RunEvent, afterMs: number): Heard {
  switch (event.type) {
    case "run.started":
      return { ...heard, model: event.model };
    case "step.started": {
      const { model, messageId } = event;
      return {
        ...heard,
        model,
        messageId,
        text: "",
        firstRequestAfterMs: heard.firstRequestAfterMs ?? afterMs,
      };
    }
    case "text.delta": {
      const before = event.messageId === heard.messageId ? heard.text : "";
      const said = { messageId: event.messageId, text: before + event.text };
      return { ...heard, ...said, firstTokenAfterMs: heard.firstTokenAfterMs ?? afterMs };
    }
    case "reasoning.delta":
    case "tool.started":
      return { ...heard, firstTokenAfterMs: heard.firstTokenAfterMs ?? afterMs };
    case "text.reset":
      return event.messageId === heard.messageId ? { ...heard, text: "" } : heard;
    case "message.completed":
      return { ...heard, messageId: event.messageId, text: event.text };
    default:
      return heard;
  }
}
