import type { MessageSink } from "../../src/agent/message-sink.ts";
import { RunFailed, failure } from "../../src/protocol/ending.ts";
import type { MessageId, SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part, Role } from "../../src/protocol/message.ts";

export interface SunkMessage {
  readonly id: MessageId;
  readonly role: Role;
  /** Null while it is open. */
  parts: readonly Part[] | null;
  /** What was appended and not withdrawn. */
  streamed: string;
  readonly isSummary?: true;
}

export interface MemorySink extends MessageSink {
  readonly messages: SunkMessage[];
  /** From now on every write fails as a full disk does. */
  fill(): void;
}

/** The messages of a turn in an array, ids `m1`, `m2`, … */
export function memorySink(): MemorySink {
  const messages: SunkMessage[] = [];
  let full = false;
  const find = (id: MessageId): SunkMessage => {
    if (full) throw new RunFailed(failure("storage", "the disk is full"));
    const found = messages.find((message) => message.id === id);
    if (found === undefined) throw new Error(`no message ${id}`);
    return found;
  };
  let opened = 0;
  const open = (role: Role, more: { readonly isSummary?: true } = {}): MessageId => {
    if (full) throw new RunFailed(failure("storage", "the disk is full"));
    opened += 1;
    const id = `m${opened}` as MessageId;
    messages.push({ id, role, parts: null, streamed: "", ...more });
    return id;
  };
  return {
    messages,
    fill: () => {
      full = true;
    },
    open,
    openSummary: () => open("assistant", { isSummary: true }),
    finishSummary: (id, parts) => {
      find(id).parts = parts;
      return { ...message("assistant", parts, id), isSummary: true };
    },
    remove: (id) => {
      messages.splice(messages.indexOf(find(id)), 1);
    },
    append: (id, _kind, text) => {
      find(id).streamed += text;
    },
    reset: (id) => {
      find(id).streamed = "";
    },
    finish: (id, role, parts) => {
      find(id).parts = parts;
      return message(role, parts, id);
    },
  };
}

const message = (role: Role, parts: readonly Part[], id = "m0" as MessageId): Message => ({
  id,
  sessionId: "s" as SessionId,
  role,
  parts,
  model: role === "assistant" ? "one" : "",
  provider: role === "assistant" ? "fake" : "",
  createdAt: 0,
  updatedAt: 0,
});

export const userMessage = (text: string): Message =>
  message("user", [
    { type: "text", text },
    { type: "finish", reason: "stop", time: 0 },
  ]);

/** The tool results of a turn, in order. */
export const resultsIn = (sink: MemorySink) =>
  sink.messages
    .filter(({ role }) => role === "tool")
    .flatMap(({ parts }) => parts ?? [])
    .filter((part) => part.type === "tool_result");

/** How each assistant message of a turn ended. */
export const finishesIn = (sink: MemorySink): string[] =>
  sink.messages
    .filter(({ role }) => role === "assistant")
    .map(({ parts }) => {
      const last = parts?.at(-1);
      return last?.type === "finish" ? last.reason : "open";
    });
