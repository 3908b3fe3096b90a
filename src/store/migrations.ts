import type { DatabaseSyncInstance } from "@photostructure/sqlite";
import { NewerVersion, OlderVersion } from "./storage-failure.ts";

/** Each entry takes the file from its index to the next version (`PRAGMA user_version`). Never edit a released one. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    parent_session_id TEXT,
    title TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    cost REAL DEFAULT 0,           -- NULL once a price was unknown
    cancel_mark INTEGER NOT NULL DEFAULT 0,  -- covers every prompt accepted up to it
    cancel_reason TEXT,
    created_at INTEGER NOT NULL,   -- Unix seconds, like every time of a session or message
    updated_at INTEGER NOT NULL
  );
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- the accept sequence
    run_id TEXT UNIQUE,                     -- NULL: nobody waits for this prompt
    session_id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    owner TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved','queued','active','settled')),
    prompt TEXT NOT NULL,                   -- a JSON string
    options TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,           -- milliseconds, like every time of a run
    started_at INTEGER,
    ended_at INTEGER,
    cancel_reason TEXT,                     -- somebody asked for this one to end
    reason TEXT,
    outcome TEXT,
    CHECK ((state = 'settled') = (reason IS NOT NULL))
  );
  CREATE UNIQUE INDEX one_active_run ON runs(session_id) WHERE state = 'active';
  CREATE INDEX open_runs ON runs(session_id, seq) WHERE state <> 'settled';
  CREATE INDEX runs_of_session ON runs(session_id, seq);
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    turn INTEGER NOT NULL,                  -- runs.seq of the turn it belongs to
    role TEXT NOT NULL,
    parts TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  );
  CREATE INDEX messages_of_session ON messages(session_id, turn, seq);
  CREATE TABLE message_chunks (             -- what a streaming message said so far
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('text','reasoning')),
    text TEXT NOT NULL                      -- a JSON string
  );
  CREATE INDEX chunks_of_message ON message_chunks(message_id, seq);
  CREATE TABLE read_files (
    session_id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, path)
  );
  `,
  `
  ALTER TABLE sessions ADD COLUMN cancel_by TEXT;           -- the client that asked for it
  ALTER TABLE sessions ADD COLUMN summary_message_id TEXT;  -- the model is shown what comes from here on
  ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'prompt' CHECK (kind IN ('prompt','summary'));
  ALTER TABLE runs ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE runs ADD COLUMN client_id TEXT;               -- who sent it
  ALTER TABLE runs ADD COLUMN cancel_by TEXT;
  ALTER TABLE messages ADD COLUMN is_summary INTEGER NOT NULL DEFAULT 0;
  `,
];

/** Of a file that needs no migration. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the file to our version. Several processes may do so at once. Throws for a file of a newer version. */
export function migrate(connection: DatabaseSyncInstance): void {
  if (versionOf(connection) === MIGRATIONS.length) return;
  connection.exec("BEGIN IMMEDIATE");
  try {
    const from = versionOf(connection); // again: another process may have been faster
    mustBeKnown(from);
    for (const step of MIGRATIONS.slice(from)) connection.exec(step);
    connection.exec(`PRAGMA user_version=${MIGRATIONS.length}`);
    connection.exec("COMMIT");
  } catch (error) {
    if (connection.isTransaction) connection.exec("ROLLBACK");
    throw error;
  }
}

/** Throws for a file that would have to be migrated before it is read. */
export function mustBeCurrent(connection: DatabaseSyncInstance): void {
  const version = versionOf(connection);
  mustBeKnown(version);
  if (version < MIGRATIONS.length)
    throw new OlderVersion("the database was written by an older version");
}

function mustBeKnown(version: number): void {
  if (version > MIGRATIONS.length)
    throw new NewerVersion("the database was written by a newer version");
}

function versionOf(connection: DatabaseSyncInstance): number {
  const row = connection.prepare("PRAGMA user_version").get() as { user_version: number };
  return row.user_version;
}
