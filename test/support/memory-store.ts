import { randomUUID } from "node:crypto";
import {
  newMessageId,
  type MessageId,
  type RunId,
  type SessionId,
} from "../../src/protocol/ids.ts";
import type { RunOutcome, RunRecord } from "../../src/protocol/run-record.ts";
import type { Session } from "../../src/protocol/session.ts";
import type { Fork } from "../../src/store/fork-session.ts";
import type { OpenPrompt, Runs, StoredPrompt } from "../../src/store/runs.ts";
import type { CancelMark, Sessions } from "../../src/store/sessions.ts";
import type { Store } from "../../src/store/store.ts";
import type { Disk } from "./disk.ts";
import { messagesIn, type MessageRow } from "./memory-messages.ts";
import { memoryTable, type Table, type Undo, type Write } from "./memory-tables.ts";

interface SessionRow extends Omit<Session, "messageCount"> {
  readonly seq: number;
  readonly mark: CancelMark | null;
}

interface RunRow extends StoredPrompt {
  readonly cancel: OpenPrompt["cancel"];
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly outcome: RunOutcome | null;
}

interface ReadFileRow {
  readonly sessionId: SessionId;
  readonly path: string;
  readonly digest: string;
  /** Unix seconds. */
  readonly at: number;
}

interface Tables {
  readonly sessions: Table<SessionId, SessionRow>;
  readonly runs: Table<number, RunRow>;
  readonly messages: Table<MessageId, MessageRow>;
  readonly readFiles: Table<string, ReadFileRow>;
}

/**
 * The store without a file: what several processes share is shared memory, and a transaction that fails takes back what it did.
 * Nothing of it survives anything, so durability is no concern of it.
 */
export function memoryDisk(): Disk {
  let commits = 0;
  let undo: Undo = [];
  let depth = 0;
  const tables: Tables = {
    sessions: memoryTable(() => undo),
    runs: memoryTable(() => undo),
    messages: memoryTable(() => undo),
    readFiles: memoryTable(() => undo),
  };
  const owners = new Set<string>();
  const open = (): Store => {
    const ownerId = randomUUID();
    owners.add(ownerId);
    let own = 0;
    const mustBeOpen = (): void => {
      if (!owners.has(ownerId)) throw new Error("database is not open");
    };
    const transaction: Write = (work) => {
      mustBeOpen();
      if (depth > 0) return work();
      undo = [];
      depth += 1;
      try {
        const result = work();
        if (undo.length > 0) {
          commits += 1;
          own += 1;
        }
        return result;
      } catch (error) {
        for (const takeBack of undo.toReversed()) takeBack();
        throw error;
      } finally {
        depth -= 1;
      }
    };
    const touched = (id: SessionId, now: number): void => {
      const row = tables.sessions.get(id);
      if (row === undefined) throw new Error("FOREIGN KEY constraint failed");
      tables.sessions.put(id, { ...row, updatedAt: Math.max(row.updatedAt, now) });
    };
    const guarded = <T extends object>(port: T): T => guardedBy(mustBeOpen, port);
    return {
      ownerId,
      sessions: guarded(sessionsIn(tables, transaction)),
      messages: guarded(messagesIn(tables.messages, touched, transaction)),
      runs: guarded(runsIn(tables, transaction)),
      readFiles: guarded({
        lastSeen: (sessionId, path) => tables.readFiles.get(`${sessionId} ${path}`)?.digest ?? null,
        record: (sessionId, path, digest, at) =>
          transaction(() =>
            tables.readFiles.put(`${sessionId} ${path}`, { sessionId, path, digest, at }),
          ),
      }),
      fork: (fork) => transaction(() => forkIn(tables, fork)),
      transaction,
      dataVersion: () => {
        mustBeOpen();
        return commits - own;
      },
      isAlive: (id) => owners.has(id),
      isInPlace: () => true,
      close: () => void owners.delete(ownerId),
    };
  };
  return { open, [Symbol.dispose]: () => owners.clear() };
}

/** The same methods, each after `check`. */
function guardedBy<T extends object>(check: () => void, port: T): T {
  const entries = Object.entries(port).map(([name, method]) => [
    name,
    (...values: unknown[]): unknown => {
      check();
      return (method as (...given: unknown[]) => unknown)(...values);
    },
  ]);
  return Object.fromEntries(entries) as T;
}

function sessionsIn({ sessions, messages }: Tables, write: Write): Sessions {
  const change = (id: SessionId, how: (row: SessionRow) => Partial<SessionRow>): void =>
    write(() => {
      const row = sessions.get(id);
      if (row !== undefined) sessions.put(id, { ...row, ...how(row) });
    });
  const shown = ({ seq: _seq, mark: _mark, ...session }: SessionRow): Session => ({
    ...session,
    messageCount: messages.rows().filter(({ sessionId }) => sessionId === session.id).length,
  });
  return {
    create: ({ id, title, now }) =>
      write(() => {
        if (sessions.get(id) !== undefined)
          throw new Error("UNIQUE constraint failed: sessions.id");
        const row: SessionRow = {
          id,
          seq: sessions.nextSeq(),
          mark: null,
          parentSessionId: null,
          title,
          promptTokens: 0,
          completionTokens: 0,
          cost: 0,
          summaryMessageId: null,
          createdAt: now,
          updatedAt: now,
        };
        sessions.put(id, row);
        return shown(row);
      }),
    get: (id) => {
      const row = sessions.get(id);
      return row === undefined ? null : shown(row);
    },
    title: (id) => sessions.get(id)?.title ?? null,
    list: () =>
      sessions
        .rows()
        .filter(({ parentSessionId }) => parentSessionId === null)
        .toSorted((a, b) => b.updatedAt - a.updatedAt || b.seq - a.seq)
        .map(shown),
    addUsage: (id, usage, costUsd, now) =>
      change(id, (row) => ({
        promptTokens: row.promptTokens + usage.inputTokens,
        completionTokens: row.completionTokens + usage.outputTokens,
        cost: row.cost === null || costUsd === null ? null : row.cost + costUsd,
        updatedAt: now,
      })),
    cancelMark: (id) => sessions.get(id)?.mark ?? null,
    setCancelMark: (id, mark) => change(id, () => ({ mark: mark && { ...mark } })),
    summaryOf: (id) => sessions.get(id)?.summaryMessageId ?? null,
    setSummary: (id, summaryMessageId) => change(id, () => ({ summaryMessageId })),
  };
}

function forkIn({ sessions, runs, messages, readFiles }: Tables, { from, id, now }: Fork): boolean {
  const original = sessions.get(from);
  if (original === undefined) return false;
  const fresh = { promptTokens: 0, completionTokens: 0, cost: 0, createdAt: now, updatedAt: now };
  const open = runs.rows().filter((row) => row.sessionId === from && row.state !== "settled");
  const copied = messages
    .rows()
    .filter((row) => row.sessionId === from && !open.some(({ seq }) => seq === row.turn))
    .toSorted((a, b) => a.turn - b.turn || a.seq - b.seq);
  let summaryMessageId: MessageId | null = null;
  for (const row of copied) {
    const copy = { ...row, id: newMessageId(), sessionId: id, seq: messages.nextSeq() };
    messages.put(copy.id, copy);
    const isWhole = row.parts.some((part) => part.type === "finish" && part.reason === "end_turn");
    if (original.summaryMessageId !== null && row.isSummary === true && isWhole)
      summaryMessageId = copy.id;
  }
  const seq = sessions.nextSeq();
  sessions.put(id, { ...original, ...fresh, id, seq, mark: null, summaryMessageId });
  const active = open.find(({ state }) => state === "active")?.startedAt ?? null;
  for (const row of readFiles.rows())
    if (row.sessionId === from && (active === null || row.at < Math.floor(active / 1000)))
      readFiles.put(`${id} ${row.path}`, { ...row, sessionId: id });
  return true;
}

function runsIn({ runs, sessions }: Tables, write: Write): Runs {
  const of = (sessionId: SessionId): RunRow[] =>
    runs.rows().filter((row) => row.sessionId === sessionId && row.state !== "settled");
  const find = (runId: RunId): RunRow | undefined => runs.rows().find((row) => row.runId === runId);
  const change = (seq: number, how: (row: RunRow) => Partial<RunRow> | null): boolean =>
    write(() => {
      const row = runs.get(seq);
      const wanted = row === undefined || row.state === "settled" ? null : how(row);
      if (row === undefined || wanted === null) return false;
      runs.put(seq, { ...row, ...wanted });
      return true;
    });
  return {
    insert: (prompt) =>
      write(() => {
        const { runId, sessionId } = prompt;
        if (runId !== null && find(runId) !== undefined)
          throw new Error("UNIQUE constraint failed: runs.run_id");
        if (sessions.get(sessionId) === undefined) throw new Error("FOREIGN KEY constraint failed");
        const seq = runs.nextSeq();
        const open = { cancel: null, startedAt: null, endedAt: null, outcome: null };
        runs.put(seq, { ...stored(prompt), ...open, seq, state: "reserved" });
        return seq;
      }),
    get: (seq) => promptOf(runs.get(seq)),
    find: (runId) => promptOf(find(runId)),
    open: (sessionId) => of(sessionId).map(openOf),
    openSessions: () => [
      ...new Set(runs.rows().flatMap((row) => (row.state === "settled" ? [] : [row.sessionId]))),
    ],
    move: (seq, state, now) => {
      change(seq, (row) => {
        const other = of(row.sessionId).find((one) => one.state === "active" && one.seq !== seq);
        if (state === "active" && other !== undefined)
          throw new Error("UNIQUE constraint failed: runs.session_id");
        return { state, startedAt: state === "active" ? now : row.startedAt };
      });
    },
    requestCancel: (seq, { reason, by }) => {
      change(seq, (row) => (row.cancel === null ? { cancel: { reason, by } } : null));
    },
    settle: (seq, outcome, now) => change(seq, () => ({ state: "settled", outcome, endedAt: now })),
    outcome: (seq) => runs.get(seq)?.outcome ?? null,
    record: (runId) => {
      const row = find(runId);
      return row === undefined ? null : recordOf(row);
    },
    recent: (limit) =>
      runs
        .rows()
        .filter(({ runId }) => runId !== null)
        .toReversed()
        .slice(0, limit)
        .map(recordOf),
  };
}

const stored = ({
  kind,
  runId,
  sessionId,
  owner,
  prompt,
  ...more
}: Omit<StoredPrompt, "seq" | "state">) => {
  const { attachments, clientId, options, bodyHash, now } = more;
  return { kind, runId, sessionId, owner, prompt, attachments, clientId, options, bodyHash, now };
};

const promptOf = (row: RunRow | undefined): StoredPrompt | null =>
  row === undefined ? null : { ...stored(row), seq: row.seq, state: row.state };

const openOf = (row: RunRow): OpenPrompt => ({
  seq: row.seq,
  runId: row.runId,
  owner: row.owner,
  state: row.state as OpenPrompt["state"],
  cancel: row.cancel,
  foldable: row.runId === null && row.kind === "prompt" && Object.keys(row.options).length === 0,
});

const recordOf = (row: RunRow): RunRecord => ({
  runId: row.runId ?? ("" as RunId),
  sessionId: row.sessionId,
  state: row.state,
  prompt: row.prompt,
  acceptedAt: row.now,
  startedAt: row.startedAt,
  endedAt: row.endedAt,
  outcome: row.outcome,
});
