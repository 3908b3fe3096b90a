import type { MessageId, SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part } from "../../src/protocol/message.ts";
import type { Messages, NewMessage } from "../../src/store/messages.ts";
import type { Table, Write } from "./memory-tables.ts";

export interface MessageRow extends NewMessage {
  readonly seq: number;
  readonly updatedAt: number;
  readonly chunks: readonly { readonly kind: "text" | "reasoning"; readonly text: string }[];
}

/** The messages of all sessions. `touched` is told of the session that each new one changes; it throws when there is none. */
export function messagesIn(
  messages: Table<MessageId, MessageRow>,
  touched: (sessionId: SessionId, now: number) => void,
  write: Write,
): Messages {
  const change = (id: MessageId, how: (row: MessageRow) => Partial<MessageRow>): boolean =>
    write(() => {
      const row = messages.get(id);
      if (row !== undefined) messages.put(id, { ...row, ...how(row) });
      return row !== undefined;
    });
  const of = (sessionId: SessionId, turn: number): MessageRow[] =>
    messages
      .rows()
      .filter((row) => row.sessionId === sessionId && row.turn <= turn)
      .toSorted((a, b) => a.turn - b.turn || a.seq - b.seq);
  return {
    insert: (message) =>
      write(() => {
        const { id, sessionId, now } = message;
        if (messages.get(id) !== undefined)
          throw new Error("UNIQUE constraint failed: messages.id");
        const parts = [...message.parts];
        messages.put(id, {
          ...message,
          parts,
          seq: messages.nextSeq(),
          updatedAt: now,
          chunks: [],
        });
        touched(sessionId, now);
      }),
    appendChunk: (id, kind, text) => {
      if (!change(id, ({ chunks }) => ({ chunks: [...chunks, { kind, text }] })))
        throw new Error("FOREIGN KEY constraint failed");
    },
    dropChunks: (id) => void change(id, () => ({ chunks: [] })),
    finish: (id, parts, now) =>
      void change(id, () => ({ parts: [...parts], updatedAt: now, chunks: [] })),
    remove: (id) => write(() => messages.remove(id)),
    list: (sessionId) => of(sessionId, Number.MAX_SAFE_INTEGER).map(messageOf),
    listUpTo: (sessionId, turn) => of(sessionId, turn).map(messageOf),
    lastModel: (sessionId) => {
      const last = of(sessionId, Number.MAX_SAFE_INTEGER)
        .filter(
          ({ role, model, isSummary }) =>
            role === "assistant" && model !== "" && isSummary !== true,
        )
        .at(-1);
      return last === undefined ? null : { provider: last.provider, model: last.model };
    },
  };
}

function messageOf(row: MessageRow): Message {
  const said = (kind: "text" | "reasoning"): string =>
    row.chunks
      .filter((chunk) => chunk.kind === kind)
      .map(({ text }) => text)
      .join("");
  const [thinking, text] = [said("reasoning"), said("text")];
  const streamed: Part[] = [];
  if (thinking !== "") streamed.push({ type: "reasoning", thinking });
  if (text !== "") streamed.push({ type: "text", text });
  return {
    id: row.id,
    sessionId: row.sessionId,
    role: row.role,
    parts: [...row.parts, ...streamed],
    model: row.model,
    provider: row.provider,
    createdAt: row.now,
    updatedAt: row.updatedAt,
    ...(row.isSummary === true ? { isSummary: true } : {}),
  };
}
