import type { FakeRequest } from "./fake-provider.ts";

interface ChatMessage {
  readonly role: string;
  readonly content: string | readonly { readonly text: string }[] | null;
}

/** What a request in the chat format says after its system prompt: `role: text`, in order. */
export function conversation(request: FakeRequest | undefined): string[] {
  const { messages } = (request?.body ?? { messages: [] }) as { messages: readonly ChatMessage[] };
  return messages
    .filter(({ role }) => role !== "system")
    .map(({ role, content }) => `${role}: ${textOf(content)}`);
}

function textOf(content: ChatMessage["content"]): string {
  if (content === null || typeof content === "string") return content ?? "";
  return content.map(({ text }) => text).join("");
}
