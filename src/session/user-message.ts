import type { Attachment } from "../protocol/attachment.ts";
import { newMessageId } from "../protocol/ids.ts";
import type { Message, Part } from "../protocol/message.ts";
import type { StoredPrompt } from "../store/runs.ts";
import type { Store } from "../store/store.ts";

/** Stores what was asked as a user message of the turn `turn`. `nowMs` is in milliseconds. */
export function storeUserMessage(
  store: Pick<Store, "messages">,
  { sessionId, prompt, attachments }: StoredPrompt,
  turn: number,
  nowMs: number,
): Message {
  const now = Math.floor(nowMs / 1000);
  const message = {
    id: newMessageId(),
    sessionId,
    role: "user" as const,
    parts: userParts(prompt, attachments),
    model: "",
    provider: "",
  };
  store.messages.insert({ ...message, turn, now });
  return { ...message, createdAt: now, updatedAt: now };
}

const userParts = (text: string, attachments: readonly Attachment[]): readonly Part[] => [
  { type: "text", text },
  ...attachments.map(({ path, mimeType, content }): Part => ({
    type: "binary",
    path,
    mimeType,
    data: content,
  })),
  { type: "finish", reason: "stop", time: 0 },
];
