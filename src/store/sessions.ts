import type { Cancel } from "../protocol/cancel.ts";
import type { Reason } from "../protocol/ending.ts";
import type { MessageId, SessionId } from "../protocol/ids.ts";
import type { Session } from "../protocol/session.ts";
import type { Usage } from "../protocol/usage.ts";
import type { Database } from "./database.ts";

export interface Sessions {
  create(session: { id: SessionId; title: string; now: number }): Session;
  get(id: SessionId): Session | null;
  /** The title alone, which costs less than the whole; null when there is no such session. */
  title(id: SessionId): string | null;
  /** Top-level sessions, the last changed first. */
  list(): Session[];
  /** Adds what one model call used; an unknown cost makes the sum unknown. */
  addUsage(id: SessionId, usage: Usage, costUsd: number | null, now: number): void;
  cancelMark(id: SessionId): CancelMark | null;
  setCancelMark(id: SessionId, mark: CancelMark | null): void;
  /** The message from which on the conversation is what the model is shown; null for all of it. */
  summaryOf(id: SessionId): MessageId | null;
  setSummary(id: SessionId, messageId: MessageId): void;
}

/** The highest accept sequence that a cancel has covered, and why it was asked for. */
export interface CancelMark extends Cancel {
  readonly upTo: number;
}

interface Row {
  readonly id: string;
  readonly parent_session_id: string | null;
  readonly title: string;
  readonly message_count: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cost: number | null;
  readonly summary_message_id: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

const SELECT = `SELECT s.*, (SELECT count(*) FROM messages m WHERE m.session_id = s.id) AS message_count
  FROM sessions s`;

/** The `sessions` table. Times are Unix seconds. */
export function sessionsOf(database: Database): Sessions {
  return {
    create: ({ id, title, now }) => {
      database.run(
        "INSERT INTO sessions (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)",
        id,
        title,
        now,
        now,
      );
      return {
        id,
        parentSessionId: null,
        title,
        messageCount: 0,
        promptTokens: 0,
        completionTokens: 0,
        cost: 0,
        summaryMessageId: null,
        createdAt: now,
        updatedAt: now,
      };
    },
    get: (id) => {
      const row = database.get<Row>(`${SELECT} WHERE s.id = ?`, id);
      return row === null ? null : sessionOf(row);
    },
    title: (id) =>
      database.get<Pick<Row, "title">>("SELECT title FROM sessions WHERE id = ?", id)?.title ??
      null,
    list: () =>
      database
        .all<Row>(
          `${SELECT} WHERE s.parent_session_id IS NULL ORDER BY s.updated_at DESC, s.rowid DESC`,
        )
        .map(sessionOf),
    addUsage: (id, usage, costUsd, now) => {
      database.run(
        `UPDATE sessions SET prompt_tokens = prompt_tokens + ?, completion_tokens = completion_tokens + ?,
           cost = cost + ?, updated_at = ? WHERE id = ?`,
        usage.inputTokens,
        usage.outputTokens,
        costUsd,
        now,
        id,
      );
    },
    cancelMark: (id) => {
      const row = database.get<{
        cancel_mark: number;
        cancel_reason: Reason | null;
        cancel_by: string | null;
      }>("SELECT cancel_mark, cancel_reason, cancel_by FROM sessions WHERE id = ?", id);
      if (row === null || row.cancel_mark === 0) return null;
      const { cancel_mark: upTo, cancel_reason: reason, cancel_by: by } = row;
      return { upTo, reason: reason ?? "by_client", by };
    },
    setCancelMark: (id, mark) => {
      database.run(
        "UPDATE sessions SET cancel_mark = ?, cancel_reason = ?, cancel_by = ? WHERE id = ?",
        mark?.upTo ?? 0,
        mark?.reason ?? null,
        mark?.by ?? null,
        id,
      );
    },
    summaryOf: (id) =>
      database.get<{ summary_message_id: MessageId | null }>(
        "SELECT summary_message_id FROM sessions WHERE id = ?",
        id,
      )?.summary_message_id ?? null,
    setSummary: (id, messageId) => {
      database.run("UPDATE sessions SET summary_message_id = ? WHERE id = ?", messageId, id);
    },
  };
}

/** What is done to sessions from outside of any run. */
export interface SessionCare {
  rename(id: SessionId, title: string): void;
  /** The session and all that came of it, children's children included. */
  family(id: SessionId): SessionId[];
  /** With its messages, runs and read files; not its children. */
  remove(id: SessionId): void;
}

export function sessionCareOf(database: Database): SessionCare {
  return {
    rename: (id, title) => {
      database.run("UPDATE sessions SET title = ? WHERE id = ?", title, id);
    },
    family: (id) =>
      database
        .all<{ id: SessionId }>(
          `WITH RECURSIVE family(id) AS (
             SELECT id FROM sessions WHERE id = ?
             UNION SELECT s.id FROM sessions s JOIN family f ON s.parent_session_id = f.id
           ) SELECT id FROM family`,
          id,
        )
        .map((row) => row.id),
    remove: (id) => {
      database.run("DELETE FROM sessions WHERE id = ?", id); // the other tables follow it
    },
  };
}

function sessionOf(row: Row): Session {
  return {
    id: row.id as SessionId,
    parentSessionId: row.parent_session_id as SessionId | null,
    title: row.title,
    messageCount: row.message_count,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    cost: row.cost,
    summaryMessageId: row.summary_message_id as MessageId | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
