import { newMessageId, type MessageId, type SessionId } from "../protocol/ids.ts";
import type { Part } from "../protocol/message.ts";
import type { Database } from "./database.ts";

export interface Fork {
  /** The session that is copied. */
  readonly from: SessionId;
  /** The copy. */
  readonly id: SessionId;
  /** Unix seconds. */
  readonly now: number;
}

interface Row {
  readonly id: MessageId;
  readonly parts: string;
  readonly is_summary: number;
}

/**
 * A new session that knows what another one knew when its last run had ended: title, messages under ids of their own, summary and files
 * read. What its open prompts have said and read is left out. False when there is no such session.
 */
export function forkSession(database: Database, { from, id, now }: Fork): boolean {
  return database.transaction(() => {
    const { changes } = database.run(
      `INSERT INTO sessions (id, title, created_at, updated_at)
         SELECT ?, title, ?, ? FROM sessions WHERE id = ?`,
      id,
      now,
      now,
      from,
    );
    if (changes === 0) return false;
    const copies = copyMessages(database, from, id);
    const wanted = summaryOf(database, from);
    const summary = (wanted && copies.ids.get(wanted)) ?? (wanted && copies.lastSummary);
    if (summary !== null)
      database.run("UPDATE sessions SET summary_message_id = ? WHERE id = ?", summary, id);
    copyReadFiles(database, from, id);
    return true;
  });
}

interface Copies {
  readonly ids: ReadonlyMap<MessageId, MessageId>;
  /** What stood for the conversation before a summary that is not copied. */
  readonly lastSummary: MessageId | null;
}

function copyMessages(database: Database, from: SessionId, to: SessionId): Copies {
  const rows = database.all<Row>(
    `SELECT m.id, m.is_summary, CASE m.is_summary WHEN 1 THEN m.parts ELSE '[]' END AS parts FROM messages m
       WHERE m.session_id = ? AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.seq = m.turn AND r.state <> 'settled')
       ORDER BY m.turn, m.seq`,
    from,
  );
  const ids = new Map<MessageId, MessageId>();
  let lastSummary: MessageId | null = null;
  for (const row of rows) {
    const copy = newMessageId();
    ids.set(row.id, copy);
    if (isWholeSummary(row)) lastSummary = copy;
    database.run(
      `INSERT INTO messages (id, session_id, turn, role, parts, model, provider, created_at, updated_at, is_summary)
         SELECT ?, ?, turn, role, parts, model, provider, created_at, updated_at, is_summary FROM messages WHERE id = ?`,
      copy,
      to,
      row.id,
    );
    database.run(
      `INSERT INTO message_chunks (message_id, kind, text)
         SELECT ?, kind, text FROM message_chunks WHERE message_id = ? ORDER BY seq`,
      copy,
      row.id,
    );
  }
  return { ids, lastSummary };
}

/** One that failed stands for nothing. */
const isWholeSummary = ({ is_summary, parts }: Row): boolean =>
  is_summary === 1 &&
  (JSON.parse(parts) as Part[]).some(
    (part) => part.type === "finish" && part.reason === "end_turn",
  );

const summaryOf = (database: Database, id: SessionId): MessageId | null =>
  database.get<{ summary_message_id: MessageId | null }>(
    "SELECT summary_message_id FROM sessions WHERE id = ?",
    id,
  )?.summary_message_id ?? null;

/** A file that was read since the open run began has to be read again, when in doubt: the copy has not seen it. */
function copyReadFiles(database: Database, from: SessionId, to: SessionId): void {
  database.run(
    `INSERT INTO read_files (session_id, path, digest, read_at)
       SELECT ?, path, digest, read_at FROM read_files f WHERE session_id = ? AND NOT EXISTS (
         SELECT 1 FROM runs r WHERE r.session_id = f.session_id AND r.state = 'active' AND f.read_at >= r.started_at / 1000)`,
    to,
    from,
  );
}
