import type { WireEvent } from "../protocol/event-wire.ts";
import type { MessageId } from "../protocol/ids.ts";
import type { Message, Part } from "../protocol/message.ts";
import type { MessageEvent, RunComplete } from "../protocol/run-event.ts";

/** The messages that are being written, with what they say so far. What a message says is only in the deltas until it is finished. */
export type OpenMessages = Map<MessageId, OpenMessage>;

export interface OpenMessage {
  readonly runId: MessageEvent["runId"];
  readonly message: Message;
  /** Nobody was told of it yet: its first news is its coming into being. */
  readonly untold: boolean;
}

/**
 * One event of the log, in order: brings `open` up to date. A pure function of both, but for `open` itself, which is changed in place:
 * thousands of deltas pass here.
 */
export function follow(open: OpenMessages, event: WireEvent): void {
  switch (event.type) {
    case "message":
      return followMessage(open, event);
    case "text.delta":
      return change(open, event.messageId, (parts) => withText(parts, event.text));
    case "reasoning.delta":
      return change(open, event.messageId, (parts) => withThought(parts, event.text));
    case "text.reset":
      return change(open, event.messageId, () => []);
    case "run_complete":
      return forgetRun(open, event);
    default:
  }
}

/** A message that changed, whole. */
export const updateOf = ({ runId, message }: OpenMessage): MessageEvent => ({
  type: "message",
  lifecycle: "updated",
  runId,
  sessionId: message.sessionId,
  message,
});

/** Tool results come as one finished message; it is opened a moment before, without content, which is no news. */
export const isPlaceholder = ({ lifecycle, message }: MessageEvent): boolean =>
  lifecycle === "created" && message.role === "tool" && message.parts.length === 0;

function followMessage(open: OpenMessages, event: MessageEvent): void {
  const { message, runId } = event;
  const finished = message.parts.some((part) => part.type === "finish");
  if (finished || event.lifecycle === "deleted") open.delete(message.id);
  else open.set(message.id, { runId, message, untold: isPlaceholder(event) });
}

function change(
  open: OpenMessages,
  id: MessageId,
  changed: (parts: readonly Part[]) => readonly Part[],
): void {
  const one = open.get(id);
  if (one === undefined) return;
  const message = { ...one.message, parts: changed(one.message.parts) };
  open.set(id, { ...one, message });
}

/** Whatever a run left unfinished (its store failed) is not written any more. */
function forgetRun(open: OpenMessages, { runId, sessionId }: RunComplete): void {
  for (const [id, one] of open)
    if (one.runId === runId && one.message.sessionId === sessionId) open.delete(id);
}

function withText(parts: readonly Part[], text: string): readonly Part[] {
  const last = parts.at(-1);
  if (last?.type !== "text") return [...parts, { type: "text", text }];
  return [...parts.slice(0, -1), { ...last, text: last.text + text }];
}

function withThought(parts: readonly Part[], thinking: string): readonly Part[] {
  const last = parts.at(-1);
  if (last?.type !== "reasoning") return [...parts, { type: "reasoning", thinking }];
  return [...parts.slice(0, -1), { ...last, thinking: last.thinking + thinking }];
}
