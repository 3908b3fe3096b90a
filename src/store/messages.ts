import type { MessageId, SessionId } from "../protocol/ids.ts";
import type { Message, Part, Role } from "../protocol/message.ts";
import type { Database } from "./database.ts";

export interface NewMessage {
  readonly id: MessageId;
  readonly sessionId: SessionId;
  /** Accept sequence of the prompt whose turn it belongs to. */
  readonly turn: number;
  readonly role: Role;
  readonly parts: readonly Part[];
  readonly model: string;
  readonly provider: string;
  readonly now: number;
  readonly isSummary?: boolean;
}

export interface Messages {
  /** Its session is changed by it. */
  insert(message: NewMessage): void;
  /** One batch of streamed text; cheap, and enough for a reader should we die now. */
  appendChunk(id: MessageId, kind: "text" | "reasoning", text: string): void;
  /** Withdraws the streamed text. */
  dropChunks(id: MessageId): void;
  /** The whole content; replaces what was streamed. */
  finish(id: MessageId, parts: readonly Part[], now: number): void;
  /** As if it had never been. */
  remove(id: MessageId): void;
  /** In order, turn by turn; a message whose writer died has the text that was streamed. */
  list(sessionId: SessionId): Message[];
  /** Who wrote the last assistant message of a session; a summary may be another's. */
  lastModel(sessionId: SessionId): { readonly provider: string; readonly model: string } | null;
  /** The same as `list`, without the turns of prompts accepted after `turn`. */
  listUpTo(sessionId: SessionId, turn: number): Message[];
}

interface Row {
  readonly id: string;
  readonly session_id: string;
  readonly role: string;
  readonly parts: string;
  readonly model: string;
  readonly provider: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly is_summary: number;
}

interface ChunkRow {
  readonly message_id: string;
  readonly kind: "text" | "reasoning";
  readonly text: string;
}

/** The `messages` and `message_chunks` tables. Times are Unix seconds. */
export function messagesOf(database: Database): Messages {
  const dropChunks = (id: MessageId): void => {
    database.run("DELETE FROM message_chunks WHERE message_id = ?", id);
  };
  const listUpTo = (sessionId: SessionId, turn: number): Message[] => {
    const chunks = database.all<ChunkRow>(
      `SELECT c.message_id, c.kind, c.text FROM message_chunks c JOIN messages m ON m.id = c.message_id
         WHERE m.session_id = ? ORDER BY c.seq`,
      sessionId,
    );
    const streamed = byMessage(chunks);
    return database
      .all<Row>(
        "SELECT * FROM messages WHERE session_id = ? AND turn <= ? ORDER BY turn, seq",
        sessionId,
        turn,
      )
      .map((row) => messageOf(row, streamed.get(row.id) ?? []));
  };
  return {
    insert: (message) =>
      database.transaction(() => {
        database.run(
          `INSERT INTO messages (id, session_id, turn, role, parts, model, provider, created_at, updated_at, is_summary)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          message.id,
          message.sessionId,
          message.turn,
          message.role,
          JSON.stringify(message.parts),
          message.model,
          message.provider,
          message.now,
          message.now,
          message.isSummary === true ? 1 : 0,
        );
        database.run(
          "UPDATE sessions SET updated_at = max(updated_at, ?) WHERE id = ?",
          message.now,
          message.sessionId,
        );
      }),
    appendChunk: (id, kind, text) => {
      database.run(
        "INSERT INTO message_chunks (message_id, kind, text) VALUES (?, ?, ?)",
        id,
        kind,
        JSON.stringify(text), // text with a NUL in it would be cut there
      );
    },
    dropChunks,
    finish: (id, parts, now) =>
      database.transaction(() => {
        database.run(
          "UPDATE messages SET parts = ?, updated_at = ? WHERE id = ?",
          JSON.stringify(parts),
          now,
          id,
        );
        dropChunks(id);
      }),
    remove: (id) => {
      database.run("DELETE FROM messages WHERE id = ?", id);
    },
    list: (sessionId) => listUpTo(sessionId, Number.MAX_SAFE_INTEGER),
    listUpTo,
    lastModel: (sessionId) =>
      database.get<{ provider: string; model: string }>(
        `SELECT provider, model FROM messages WHERE session_id = ? AND role = 'assistant' AND model <> '' AND is_summary = 0
           ORDER BY turn DESC, seq DESC LIMIT 1`,
        sessionId,
      ),
  };
}

function byMessage(chunks: readonly ChunkRow[]): ReadonlyMap<string, readonly ChunkRow[]> {
  const grouped = new Map<string, ChunkRow[]>();
  for (const chunk of chunks) {
    const known = grouped.get(chunk.message_id);
    if (known === undefined) grouped.set(chunk.message_id, [chunk]);
    else known.push(chunk);
  }
  return grouped;
}

function messageOf(row: Row, streamed: readonly ChunkRow[]): Message {
  const parts = JSON.parse(row.parts) as Part[];
  return {
    id: row.id as MessageId,
    sessionId: row.session_id as SessionId,
    role: row.role as Role,
    parts: [...parts, ...partsOf(streamed)],
    model: row.model,
    provider: row.provider,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.is_summary === 1 ? { isSummary: true } : {}),
  };
}

function partsOf(chunks: readonly ChunkRow[]): Part[] {
  const join = (kind: ChunkRow["kind"]): string =>
    chunks
      .filter((chunk) => chunk.kind === kind)
      .map((chunk) => JSON.parse(chunk.text) as string)
      .join("");
  const thinking = join("reasoning");
  const text = join("text");
  return [
    ...(thinking === "" ? [] : [{ type: "reasoning", thinking } as const]),
    ...(text === "" ? [] : [{ type: "text", text } as const]),
  ];
}
