import type { WireEvent } from "../protocol/event-wire.ts";
import type { MessageId } from "../protocol/ids.ts";
import type { Mask } from "../shared/masked.ts";

type Delta = Extract<WireEvent, { type: "text.delta" | "reasoning.delta" }>;

/**
 * The events of a workspace with its streamed text blotted out, in which a secret may stand across several events: an end of a text
 * that may be the beginning of one waits for what comes next in its message. The texts together are what the mask makes of the whole.
 */
export function maskedDeltas(mask: Mask): (event: WireEvent) => readonly WireEvent[] {
  /** What waits, by message; its text is not blotted out yet. */
  const waiting = new Map<MessageId, Delta>();
  const release = (id: MessageId): readonly WireEvent[] => {
    const held = waiting.get(id);
    if (held === undefined) return [];
    waiting.delete(id);
    return [{ ...held, text: mask.whole(held.text) }];
  };
  const follow = (event: Delta): readonly WireEvent[] => {
    const held = waiting.get(event.messageId);
    const isMore = held?.type === event.type;
    const before = isMore ? [] : release(event.messageId);
    const text = isMore ? held.text + event.text : event.text;
    const cut = mask.settled(text);
    if (cut === text.length) waiting.delete(event.messageId);
    else waiting.set(event.messageId, { ...event, text: text.slice(cut) });
    if (cut === 0) return before;
    return [...before, { ...event, text: mask.whole(text.slice(0, cut)) }];
  };
  return (event) => {
    switch (event.type) {
      case "text.delta":
      case "reasoning.delta":
        return follow(event);
      case "text.reset":
        waiting.delete(event.messageId);
        return [event];
      case "message.completed":
        return [...release(event.messageId), event];
      case "message":
        return [...release(event.message.id), event];
      case "run_complete": {
        const ends = [...waiting.values()].filter(({ runId }) => runId === event.runId);
        return [...ends.flatMap(({ messageId }) => release(messageId)), event];
      }
      default:
        return [event];
    }
  };
}
