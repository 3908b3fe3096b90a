import type { WireEvent } from "../protocol/event-wire.ts";
import type { MessageId } from "../protocol/ids.ts";
import type { MessageEvent } from "../protocol/run-event.ts";
import { follow, isPlaceholder, updateOf, type OpenMessages } from "./open-messages.ts";

/** How one subscriber wants to be told. */
export interface EventView {
  /** The next event of the log; what is told of it at once. */
  next(event: WireEvent): readonly WireEvent[];
  /** What was put off, now. */
  flush(): readonly WireEvent[];
  /** Whether something was put off. */
  isBehind(): boolean;
}

/** Our own client's view: deltas, and no whole messages. */
export const deltaView: EventView = {
  next: (event) => (event.type === "message" ? [] : [event]),
  flush: () => [],
  isBehind: () => false,
};

/**
 * The view of clients that know no deltas: each change of a message is the whole message so far (protocol.md section 6.3). Changes are put
 * off until `flush`, so that a reader who lags gets the latest state of a message instead of all states before it. `open` is what was
 * being written when the view begins, and becomes the view's own.
 */
export function wholeMessageView(open: OpenMessages): EventView {
  const changed = new Set<MessageId>();
  const flush = (): readonly WireEvent[] => {
    const updates = [...changed].flatMap((id) => {
      const one = open.get(id);
      return one === undefined ? [] : [updateOf(one)];
    });
    changed.clear();
    return updates;
  };
  const tell = (event: MessageEvent, wasUntold: boolean): readonly WireEvent[] => {
    changed.delete(event.message.id);
    if (isPlaceholder(event)) return [];
    if (!wasUntold) return [event];
    return event.lifecycle === "deleted" ? [] : [{ ...event, lifecycle: "created" }];
  };
  return {
    next: (event) => {
      switch (event.type) {
        case "message": {
          const wasUntold = open.get(event.message.id)?.untold === true;
          follow(open, event);
          return tell(event, wasUntold);
        }
        case "text.delta":
        case "reasoning.delta":
        case "text.reset":
          follow(open, event);
          if (open.has(event.messageId)) changed.add(event.messageId);
          return [];
        case "run_complete": {
          // Whatever a run has said comes before its end (INV-4).
          const before = flush();
          follow(open, event);
          return [...before, event];
        }
        case "agent_error":
        case "agent_notification":
        case "gap":
          return [event];
        default:
          return [];
      }
    },
    flush,
    isBehind: () => changed.size > 0,
  };
}
