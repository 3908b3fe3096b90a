import type { Message, Part, Role } from "../protocol/message.ts";
import type { MessageId } from "../protocol/ids.ts";

/**
 * Where a turn's messages go. Calls are synchronous and durable in the sense of the store; each may throw `RunFailed`
 * with reason `storage`.
 */
export interface MessageSink {
  /** A new empty message of the turn. */
  open(role: Role): MessageId;
  append(id: MessageId, kind: "text" | "reasoning", text: string): void;
  /** Withdraws what was appended. */
  reset(id: MessageId): void;
  /** The whole content; returns the message as stored. */
  finish(id: MessageId, role: Role, parts: readonly Part[]): Message;
}
