import type { JsonObject } from "../shared/json.ts";
import type { MessageId, SessionId } from "./ids.ts";
import type { Usage } from "./usage.ts";

export type Role = "user" | "assistant" | "tool" | "system";

/** How an assistant message ended. `tool_use` ends a step, not a turn. protocol.md section 7.3. */
export type FinishReason =
  | "end_turn"
  | "max_tokens"
  | "tool_use"
  | "canceled"
  | "error"
  | "content_filter"
  | "unknown"
  | "stop";

/** When something ran, in milliseconds since the epoch. Kept for whoever looks at a session later; clients are not sent it. */
export interface Span {
  readonly startedMs: number;
  readonly endedMs: number;
}

/**
 * One typed part of a message. `providerMetadata` is what the provider wants to see again on the next
 * request (a reasoning signature, an item id); it is stored and never sent to clients.
 */
export type Part =
  | { readonly type: "text"; readonly text: string; readonly providerMetadata?: JsonObject }
  | {
      readonly type: "reasoning";
      readonly thinking: string;
      /** Unix seconds. */
      readonly startedAt?: number;
      readonly finishedAt?: number;
      readonly providerMetadata?: JsonObject;
    }
  | {
      readonly type: "tool_call";
      readonly id: string;
      readonly name: string;
      /** A JSON document, as the model wrote it; not necessarily valid. */
      readonly input: string;
      readonly finished: boolean;
      readonly providerMetadata?: JsonObject;
    }
  | {
      readonly type: "tool_result";
      readonly toolCallId: string;
      readonly name: string;
      readonly content: string;
      readonly isError: boolean;
      /** A JSON document or the empty string. */
      readonly metadata: string;
      readonly span?: Span;
    }
  /** An attachment of a user message. */
  | {
      readonly type: "binary";
      readonly path: string;
      readonly mimeType: string;
      /** Standard base64. */
      readonly data: string;
    }
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      /** Unix seconds. */
      readonly time: number;
      readonly message?: string;
      readonly details?: string;
      /** Of a message that a model wrote to its end. */
      readonly step?: Span & { readonly usage: Usage };
    };

export interface Message {
  readonly id: MessageId;
  readonly sessionId: SessionId;
  readonly role: Role;
  readonly parts: readonly Part[];
  /** `""` for messages that no model wrote. */
  readonly model: string;
  readonly provider: string;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** It stands for everything before it: from here on the conversation is what the model is shown. */
  readonly isSummary?: boolean;
}

/** The text of a message: its text parts joined. */
export function textOf(message: Pick<Message, "parts">): string {
  let text = "";
  for (const part of message.parts) if (part.type === "text") text += part.text;
  return text;
}
