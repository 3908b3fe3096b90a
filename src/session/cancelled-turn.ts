import type { TurnSetup } from "../agent/turn-setup.ts";
import { newMessageId } from "../protocol/ids.ts";
import type { Part } from "../protocol/message.ts";
import type { Store } from "../store/store.ts";

/**
 * The durable trace of a prompt that was cancelled when its turn came: the user message and an assistant message with the canceled
 * marker (behaviour.md PER-4, PER-5), which names the model that it would have been. `nowMs` is in milliseconds. Call inside the
 * settling transaction.
 */
export function persistCancelledTurn(
  store: Store,
  seq: number,
  setup: Pick<TurnSetup, "modelId" | "providerId"> | null,
  nowMs: number,
): void {
  const now = Math.floor(nowMs / 1000);
  const prompt = store.runs.get(seq);
  if (prompt === null) return;
  const { sessionId } = prompt;
  const add = (role: "user" | "assistant", parts: readonly Part[]): void =>
    store.messages.insert({
      id: newMessageId(),
      sessionId,
      turn: seq,
      role,
      parts,
      model: role === "user" ? "" : (setup?.modelId ?? ""),
      provider: role === "user" ? "" : (setup?.providerId ?? ""),
      now,
    });
  add("user", userParts(prompt.prompt));
  add("assistant", [
    {
      type: "finish",
      reason: "canceled",
      time: now,
      message: "User canceled request",
      details: "",
    },
  ]);
}

export const userParts = (text: string): readonly Part[] => [
  { type: "text", text },
  { type: "finish", reason: "stop", time: 0 },
];
