import type { TurnSetup } from "../agent/turn-setup.ts";
import { newMessageId } from "../protocol/ids.ts";
import type { Message, Part } from "../protocol/message.ts";
import type { Store } from "../store/store.ts";
import { storeUserMessage } from "./user-message.ts";

/**
 * The durable trace of a prompt that was cancelled when its turn came: the user message and an assistant message with the canceled
 * marker (behaviour.md PER-4, PER-5), which names the model that it would have been. `nowMs` is in milliseconds. Call inside the
 * settling transaction; returns what it stored.
 */
export function persistCancelledTurn(
  store: Store,
  seq: number,
  setup: Pick<TurnSetup, "modelId" | "providerId"> | null,
  nowMs: number,
): readonly Message[] {
  const now = Math.floor(nowMs / 1000);
  const prompt = store.runs.get(seq);
  if (prompt === null || prompt.kind === "summary") return [];
  const user = storeUserMessage(store, prompt, seq, nowMs);
  const marker: Part = {
    type: "finish",
    reason: "canceled",
    time: now,
    message: "User canceled request",
    details: "",
  };
  const assistant = {
    id: newMessageId(),
    sessionId: prompt.sessionId,
    role: "assistant" as const,
    parts: [marker],
    model: setup?.modelId ?? "",
    provider: setup?.providerId ?? "",
  };
  store.messages.insert({ ...assistant, turn: seq, now });
  return [user, { ...assistant, createdAt: now, updatedAt: now }];
}
