import type { Attachment } from "../protocol/attachment.ts";
import type { Cancel } from "../protocol/cancel.ts";
import type { Reason } from "../protocol/ending.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import {
  decodeOutcome,
  encodeOutcome,
  type RunOutcome,
  type RunRecord,
  type RunState,
} from "../protocol/run-record.ts";
import { runOptionsSchema, type RunOptions } from "../protocol/run-options.ts";
import type { Database } from "./database.ts";

/** What dispatch needs to know of an open prompt. */
export interface OpenPrompt {
  /** Accept sequence: strictly increasing in order of acceptance, over all sessions of the file. */
  readonly seq: number;
  readonly runId: RunId | null;
  readonly owner: string;
  readonly state: Exclude<RunState, "settled">;
  /** Somebody asked for this one to end; null while nobody has. */
  readonly cancel: Cancel | null;
  /** It may join the turn that runs: nobody waits for it, and it asks for nothing of its own. */
  readonly foldable: boolean;
}

export interface NewPrompt {
  /** `summary`: no prompt, but the wish to have the conversation summarised. */
  readonly kind: "prompt" | "summary";
  readonly runId: RunId | null;
  readonly sessionId: SessionId;
  readonly owner: string;
  readonly prompt: string;
  readonly attachments: readonly Attachment[];
  /** Who sent it; null when it did not say. */
  readonly clientId: string | null;
  readonly options: RunOptions;
  /** Equal for equal bodies: the same RunID with another body is a conflict. */
  readonly bodyHash: string;
  readonly now: number;
}

export interface StoredPrompt extends NewPrompt {
  readonly seq: number;
  readonly state: RunState;
}

export interface Runs {
  /** Returns the accept sequence. */
  insert(prompt: NewPrompt): number;
  get(seq: number): StoredPrompt | null;
  find(runId: RunId): StoredPrompt | null;
  /** Prompts of a session that are not settled, in order of acceptance. */
  open(sessionId: SessionId): OpenPrompt[];
  /** Sessions with prompts that are not settled. */
  openSessions(): SessionId[];
  move(seq: number, state: OpenPrompt["state"], now: number): void;
  /** Leaves word for the owner that this prompt shall end. */
  requestCancel(seq: number, cancel: Cancel): void;
  /** Writes the outcome of a prompt that has none yet; false when it was settled already. */
  settle(seq: number, outcome: RunOutcome, now: number): boolean;
  /** Null until settled. */
  outcome(seq: number): RunOutcome | null;
  record(runId: RunId): RunRecord | null;
  /** Newest first. */
  recent(limit: number): RunRecord[];
}

interface Row {
  readonly seq: number;
  readonly run_id: string | null;
  readonly session_id: string;
  readonly owner: string;
  readonly state: RunState;
  readonly kind: NewPrompt["kind"];
  readonly attachments: string;
  readonly client_id: string | null;
  readonly cancel_by: string | null;
  readonly prompt: string;
  readonly options: string;
  readonly body_hash: string;
  readonly accepted_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly cancel_reason: Reason | null;
  readonly reason: Reason | null;
  readonly outcome: string | null;
}

/** The `runs` table: one row per accepted prompt. Times are milliseconds since the epoch. */
export function runsOf(database: Database): Runs {
  return {
    insert: (prompt) =>
      database.run(
        `INSERT INTO runs (run_id, session_id, owner, state, prompt, options, body_hash, accepted_at, kind, attachments, client_id)
           VALUES (?, ?, ?, 'reserved', ?, ?, ?, ?, ?, ?, ?)`,
        prompt.runId,
        prompt.sessionId,
        prompt.owner,
        JSON.stringify(prompt.prompt), // text with a NUL in it would be cut there
        JSON.stringify(prompt.options),
        prompt.bodyHash,
        prompt.now,
        prompt.kind,
        JSON.stringify(prompt.attachments),
        prompt.clientId,
      ).lastId,
    get: (seq) => storedPrompt(database.get<Row>("SELECT * FROM runs WHERE seq = ?", seq)),
    find: (runId) => storedPrompt(database.get<Row>("SELECT * FROM runs WHERE run_id = ?", runId)),
    open: (sessionId) =>
      database
        .all<Row & { readonly plain: 0 | 1 }>(
          `SELECT seq, run_id, owner, state, cancel_reason, cancel_by, kind, options = '{}' AS plain FROM runs WHERE session_id = ? AND state <> 'settled' ORDER BY seq`,
          sessionId,
        )
        .map((row) => ({
          seq: row.seq,
          runId: row.run_id as RunId | null,
          owner: row.owner,
          state: row.state as OpenPrompt["state"],
          cancel:
            row.cancel_reason === null ? null : { reason: row.cancel_reason, by: row.cancel_by },
          foldable: row.run_id === null && row.kind === "prompt" && row.plain === 1,
        })),
    openSessions: () =>
      database
        .all<Row>("SELECT DISTINCT session_id FROM runs WHERE state <> 'settled'")
        .map((row) => row.session_id as SessionId),
    move: (seq, state, now) => {
      database.run(
        `UPDATE runs SET state = ?, started_at = CASE WHEN ? = 'active' THEN ? ELSE started_at END
           WHERE seq = ? AND state <> 'settled'`,
        state,
        state,
        now,
        seq,
      );
    },
    requestCancel: (seq, { reason, by }) => {
      database.run(
        "UPDATE runs SET cancel_reason = ?, cancel_by = ? WHERE seq = ? AND cancel_reason IS NULL AND state <> 'settled'",
        reason,
        by,
        seq,
      );
    },
    settle: (seq, outcome, now) =>
      database.run(
        `UPDATE runs SET state = 'settled', reason = ?, outcome = ?, ended_at = ?
           WHERE seq = ? AND state <> 'settled'`,
        outcome.reason,
        encodeOutcome(outcome),
        now,
        seq,
      ).changes === 1,
    outcome: (seq) => {
      const row = database.get<Row>("SELECT outcome FROM runs WHERE seq = ?", seq);
      return row === null || row.outcome === null ? null : decodeOutcome(row.outcome);
    },
    record: (runId) => {
      const row = database.get<Row>("SELECT * FROM runs WHERE run_id = ?", runId);
      return row === null ? null : recordOf(row);
    },
    recent: (limit) =>
      database
        .all<Row>("SELECT * FROM runs WHERE run_id IS NOT NULL ORDER BY seq DESC LIMIT ?", limit)
        .map(recordOf),
  };
}

function storedPrompt(row: Row | null): StoredPrompt | null {
  if (row === null) return null;
  return {
    seq: row.seq,
    state: row.state,
    runId: row.run_id as RunId | null,
    sessionId: row.session_id as SessionId,
    owner: row.owner,
    kind: row.kind,
    attachments: JSON.parse(row.attachments) as Attachment[],
    clientId: row.client_id,
    prompt: JSON.parse(row.prompt) as string,
    options: runOptionsSchema.parse(JSON.parse(row.options)),
    bodyHash: row.body_hash,
    now: row.accepted_at,
  };
}

const recordOf = (row: Row): RunRecord => ({
  runId: (row.run_id ?? "") as RunId,
  sessionId: row.session_id as SessionId,
  state: row.state,
  prompt: JSON.parse(row.prompt) as string,
  acceptedAt: row.accepted_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  outcome: row.outcome === null ? null : decodeOutcome(row.outcome),
});
