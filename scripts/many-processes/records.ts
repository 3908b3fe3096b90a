import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import type { Reason } from "../../src/protocol/ending.ts";
import { decodeOutcome, type RunOutcome } from "../../src/protocol/run-record.ts";

/** The store as it was left, read past our own code. */
export interface Records {
  readonly runs: readonly RunRow[];
  /** How many user messages say this. */
  readonly userMessages: ReadonlyMap<string, number>;
  readonly assistantMessages: number;
  /** Lock files of processes. */
  readonly owners: readonly string[];
}

export interface RunRow {
  readonly seq: number;
  readonly runId: string | null;
  readonly session: string;
  readonly owner: string;
  readonly state: string;
  readonly prompt: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number | null;
  readonly reason: Reason | null;
  readonly outcome: RunOutcome | null;
}

export function readRecords(directory: string): Records {
  const database = new DatabaseSync(join(directory, "crush-run.db"));
  try {
    const runs = database.prepare("SELECT * FROM runs ORDER BY seq").all() as unknown as Row[];
    const messages = database.prepare("SELECT role, parts FROM messages").all() as {
      role: string;
      parts: string;
    }[];
    const userMessages = new Map<string, number>();
    for (const { role, parts } of messages) {
      if (role !== "user") continue;
      const [first] = JSON.parse(parts) as { text: string }[];
      const text = first?.text ?? "";
      userMessages.set(text, (userMessages.get(text) ?? 0) + 1);
    }
    return {
      runs: runs.map(runOf),
      userMessages,
      assistantMessages: messages.filter(({ role }) => role === "assistant").length,
      owners: readdirSync(join(directory, "owners")),
    };
  } finally {
    database.close();
  }
}

interface Row {
  readonly seq: number;
  readonly run_id: string | null;
  readonly session_id: string;
  readonly owner: string;
  readonly state: string;
  readonly prompt: string;
  readonly started_at: number | null;
  readonly reason: Reason | null;
  readonly outcome: string | null;
}

const runOf = (row: Row): RunRow => ({
  seq: row.seq,
  runId: row.run_id,
  session: row.session_id,
  owner: row.owner,
  state: row.state,
  prompt: JSON.parse(row.prompt) as string,
  startedAt: row.started_at,
  reason: row.reason,
  outcome: row.outcome === null ? null : decodeOutcome(row.outcome),
});
