import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase, type Database } from "./database.ts";
import { ensureDirectory } from "./ensure-directory.ts";
import { forkSession, type Fork } from "./fork-session.ts";
import { messagesOf, type Messages } from "./messages.ts";
import { becomeOwner, isAlive } from "./owners.ts";
import { readFilesOf, type ReadFiles } from "./read-files.ts";
import { runsOf, type Runs } from "./runs.ts";
import { sessionsOf, type Sessions } from "./sessions.ts";
import { asStorageFailure } from "./storage-failure.ts";

/** What lasts of a workspace: one SQLite file, and one lock file per living process. */
export interface Store {
  /** This process among the owners of prompts. */
  readonly ownerId: string;
  readonly sessions: Sessions;
  readonly messages: Messages;
  readonly runs: Runs;
  readonly readFiles: ReadFiles;
  /** Copies a session; false when there is none to copy. */
  fork(fork: Fork): boolean;
  readonly transaction: Database["transaction"];
  /** Changes when another process has committed. */
  dataVersion(): number;
  isAlive(ownerId: string): boolean;
  /** Whether the file that we write is still the one that others would open. */
  isInPlace(): boolean;
  /** Twice is harmless. */
  close(): void;
}

export interface StoreOptions {
  /** Bound of the file; null for none. */
  readonly limitBytes: number | null;
  /** How long a write waits for another process. */
  readonly busyMs?: number;
}

/** Opens (creating it when absent) the store of a data directory. Throws `RunFailed` with reason `storage`. */
export function openStore(dataDirectory: string, { limitBytes, busyMs }: StoreOptions): Store {
  const file = join(dataDirectory, "crush-run.db");
  const database = prepared(dataDirectory, () => {
    createDirectory(dataDirectory);
    return openDatabase(file, limitBytes, busyMs === undefined ? undefined : { busyMs });
  });
  const opened = inodeOf(file);
  const owners = join(dataDirectory, "owners");
  const owner = prepared(dataDirectory, () => becomeOwner(owners));
  return {
    ownerId: owner.id,
    sessions: sessionsOf(database),
    messages: messagesOf(database),
    runs: runsOf(database),
    readFiles: readFilesOf(database),
    fork: (fork) => forkSession(database, fork),
    transaction: database.transaction,
    dataVersion: database.dataVersion,
    isAlive: (id) => id === owner.id || prepared(dataDirectory, () => isAlive(owners, id)),
    isInPlace: () => inodeOf(file) === opened,
    close: () => {
      database.close();
      owner[Symbol.dispose]();
    },
  };
}

/** Null when there is no such file, or nobody may look. */
function inodeOf(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}

function createDirectory(path: string): void {
  ensureDirectory(path);
  const ignore = join(path, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
}

function prepared<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStorageFailure(error, path);
  }
}
