import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DatabaseSync, type DatabaseSyncInstance } from "@photostructure/sqlite";
import { SCHEMA_VERSION } from "./migrations.ts";
import { asStorageFailure, NewerVersion } from "./storage-failure.ts";

/** What can be told of a data directory's store without opening it for a run. */
export interface StoreState {
  readonly bytes: number;
  /** Of the schema; a file of an older one is brought to `ours` by the next run. */
  readonly version: number;
  readonly ours: number;
  /** Whether SQLite's quick check was made; it throws what it finds. */
  readonly isChecked: boolean;
}

/** Longer ones would take seconds, in which nothing else goes on here. 64 MiB. */
const LARGEST_CHECK = 64 * 1024 * 1024;

/**
 * Reads the store and leaves no file behind. Null when there is none. Throws `RunFailed` with reason `storage` for what a run could
 * not use.
 */
export function inspectStore(dataDirectory: string): StoreState | null {
  const file = join(dataDirectory, "crush-run.db");
  try {
    const size = sizeOf(file);
    if (size === null) return null;
    const bytes = size + (sizeOf(`${file}-wal`) ?? 0);
    const database = open(file);
    try {
      const version = numberOf(database, "PRAGMA user_version", "user_version");
      if (version > SCHEMA_VERSION)
        throw new NewerVersion("the database was written by a newer version");
      const isChecked = bytes <= LARGEST_CHECK;
      if (isChecked) quickCheck(database);
      return { bytes, version, ours: SCHEMA_VERSION, isChecked };
    } finally {
      database.close();
    }
  } catch (error) {
    throw asStorageFailure(error, dataDirectory);
  }
}

const sizeOf = (file: string): number | null =>
  statSync(file, { throwIfNoEntry: false })?.size ?? null;

/**
 * A reader of a write-ahead log makes that log's files, and only a writer takes them away. So: with them when they are there, else as
 * a file that nobody changes.
 */
function open(file: string): DatabaseSyncInstance {
  if (existsSync(`${file}-wal`) && existsSync(`${file}-shm`))
    return new DatabaseSync(file, { readOnly: true, timeout: 500 });
  return new DatabaseSync(`${pathToFileURL(file).href}?immutable=1`, { readOnly: true });
}

function quickCheck(database: DatabaseSyncInstance): void {
  const row: unknown = database.prepare("PRAGMA quick_check(1)").get();
  const said = typeof row === "object" && row !== null ? Object.values(row)[0] : null;
  if (said !== "ok")
    throw Object.assign(new Error("database disk image is malformed"), { errcode: 11 });
}

function numberOf(database: DatabaseSyncInstance, sql: string, column: string): number {
  const row: unknown = database.prepare(sql).get();
  return Number(typeof row === "object" && row !== null ? Reflect.get(row, column) : 0);
}
