import type { Message, Part, Role } from "../protocol/message.ts";
import type { TurnModel } from "./turn-setup.ts";
import type { MessageId } from "../protocol/ids.ts";

/**
 * Where a turn's messages go. Calls are synchronous and durable in the sense of the store; each may throw `RunFailed`
 * with reason `storage`.
 */
export interface MessageSink {
  /** A new empty message of the turn. */
  open(role: Role): MessageId;
  /** A new empty message that shall stand for everything before it. What is appended to it is stored, and not told. */
  openSummary(by: Pick<TurnModel, "modelId" | "providerId">): MessageId;
  append(id: MessageId, kind: "text" | "reasoning", text: string): void;
  /** Withdraws what was appended. */
  reset(id: MessageId): void;
  /** The whole content; returns the message as stored. */
  finish(id: MessageId, role: Role, parts: readonly Part[]): Message;
  /** The whole content of a summary, which counts from now on. */
  finishSummary(id: MessageId, parts: readonly Part[]): Message;
  /** As if it had never been opened. */
  remove(id: MessageId): void;
}
