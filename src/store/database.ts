import {
  DatabaseSync,
  type DatabaseSyncInstance,
  type StatementSyncInstance,
} from "@photostructure/sqlite";
import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { monotonicMs } from "../shared/clock.ts";
import { migrate, mustBeCurrent } from "./migrations.ts";
import { asStorageFailure, isBusy } from "./storage-failure.ts";

export type Value = string | number | null;

/** How safely a transaction is written: `full` survives a power cut (a settlement), `normal` a killed process. */
export type Durability = "normal" | "full";

/**
 * One SQLite connection with prepared statements. Every call is synchronous and may block for `BUSY_MS` when another process
 * writes (a tenth of it after one that waited in vain, until a write succeeds: what follows from the failure must not add up); failures of the disk arrive as `RunFailed` with reason `storage`.
 */
export interface Database {
  all<Row>(sql: string, ...values: Value[]): Row[];
  get<Row>(sql: string, ...values: Value[]): Row | null;
  run(sql: string, ...values: Value[]): { readonly changes: number; readonly lastId: number };
  /** Runs `work` in one `BEGIN IMMEDIATE` transaction; nested calls join the outer one. */
  transaction<T>(work: () => T, durability?: Durability): T;
  /** Changes when another connection has committed. */
  dataVersion(): number;
  close(): void;
}

const BUSY_MS = 10_000;
/** What is written goes into the file itself when there is so much of it: every time costs milliseconds at a stretch. 16 MiB. */
const LOG_PAGES = 4_000;

/** Opens and migrates. `limitBytes` bounds the size of the file. */
export function openDatabase(
  path: string,
  limitBytes: number | null,
  { busyMs } = { busyMs: BUSY_MS },
): Database {
  const connection = inWords(path, () => connect(path, limitBytes, busyMs));
  return databaseOn(connection, path, busyMs);
}

/** Opens a file of our version for reading alone, also where nothing can be written beside it. */
export function openForReading(path: string): Database {
  const connection = inWords(path, () => {
    try {
      return connectForReading(path);
    } catch (error) {
      // Without its log beside it the file is all there is, and nobody writes it: they would have made one.
      if (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size) throw error;
      const alone = pathToFileURL(path);
      alone.searchParams.set("immutable", "1");
      return connectForReading(alone);
    }
  });
  return databaseOn(connection, path, BUSY_MS);
}

function connectForReading(path: string | URL): DatabaseSyncInstance {
  const connection = new DatabaseSync(path, { timeout: BUSY_MS, readOnly: true });
  try {
    mustBeCurrent(connection);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function databaseOn(connection: DatabaseSyncInstance, path: string, busyMs: number): Database {
  let waitsMs = busyMs;
  const wait = (ms: number): void => {
    if (ms === waitsMs) return;
    connection.exec(`PRAGMA busy_timeout=${ms}`);
    waitsMs = ms;
  };
  const guarded = <T>(work: () => T): T =>
    inWords(path, () => {
      try {
        return work();
      } catch (error) {
        if (isBusy(error)) wait(busyMs / 10);
        throw error;
      }
    });
  const statements = new Map<string, StatementSyncInstance>();
  const prepare = (sql: string): StatementSyncInstance => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = connection.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  let depth = 0;
  const database: Database = {
    all: (sql, ...values) => guarded(() => prepare(sql).all(...values)),
    get: <Row>(sql: string, ...values: Value[]) =>
      guarded(() => (prepare(sql).get(...values) ?? null) as Row | null),
    run: (sql, ...values) =>
      guarded(() => {
        const { changes, lastInsertRowid } = prepare(sql).run(...values);
        wait(busyMs);
        return { changes, lastId: Number(lastInsertRowid) };
      }),
    transaction: (work, durability = "normal") => {
      if (depth > 0) return work();
      return guarded(() => {
        if (durability === "full") connection.exec("PRAGMA synchronous=FULL");
        try {
          connection.exec("BEGIN IMMEDIATE");
          depth += 1;
          try {
            const result = work();
            connection.exec("COMMIT");
            wait(busyMs);
            return result;
          } catch (error) {
            if (connection.isTransaction) connection.exec("ROLLBACK");
            throw error;
          } finally {
            depth -= 1;
          }
        } finally {
          if (durability === "full") connection.exec("PRAGMA synchronous=NORMAL");
        }
      });
    },
    dataVersion: () =>
      database.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0,
    close: () => {
      statements.clear();
      if (connection.isOpen) connection.close();
    },
  };
  return database;
}

function connect(path: string, limitBytes: number | null, busyMs: number): DatabaseSyncInstance {
  const deadline = monotonicMs() + busyMs;
  for (;;) {
    const connection = new DatabaseSync(path, { timeout: busyMs });
    try {
      // The switch to WAL needs a moment alone and does not always wait for it: hence the loop.
      connection.exec(
        `PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=${LOG_PAGES}`,
      );
      migrate(connection);
      if (limitBytes !== null) limitSize(connection, limitBytes);
      return connection;
    } catch (error) {
      connection.close();
      if (!isBusy(error) || monotonicMs() > deadline) throw error;
    }
  }
}

function limitSize(connection: DatabaseSyncInstance, limitBytes: number): void {
  const row = connection.prepare("PRAGMA page_size").get() as { page_size: number };
  connection.exec(`PRAGMA max_page_count=${Math.max(1, Math.floor(limitBytes / row.page_size))}`);
}

/** Fails as a storage failure. */
function inWords<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStorageFailure(error, path);
  }
}
