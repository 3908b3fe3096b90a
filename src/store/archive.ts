import { statSync } from "node:fs";
import { join } from "node:path";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { SessionId } from "../protocol/ids.ts";
import type { Session } from "../protocol/session.ts";
import { openDatabase, openForReading, type Database } from "./database.ts";
import { messagesOf, type Messages } from "./messages.ts";
import { isAlive } from "./owners.ts";
import { runsOf } from "./runs.ts";
import { sessionCareOf, sessionsOf, type Sessions } from "./sessions.ts";
import { asStorageFailure, isReadOnly } from "./storage-failure.ts";

/** The sessions of a data directory for whoever looks at them and tidies up, and runs nothing. */
export interface Archive extends Disposable {
  readonly sessions: Pick<Sessions, "get" | "list" | "summaryOf">;
  readonly messages: Pick<Messages, "list" | "lastModel">;
  rename(id: SessionId, title: string): void;
  /**
   * Takes a session away with its children and all that belongs to them, in one transaction; false when it is no longer as it was seen, and
   * nothing is taken away. Throws `session_busy` when a living process runs a prompt of it, or has one waiting.
   */
  remove(seen: Session): boolean;
}

/**
 * Opens the store of a data directory, which is neither made nor locked; null when there is none. A directory that may not be written can
 * be read all the same. Throws `RunFailed` with reason `storage`.
 */
export function openArchive(dataDirectory: string): Archive | null {
  const file = join(dataDirectory, "crush-run.db");
  const database = openExisting(file);
  if (database === null) return null;
  const sessions = sessionsOf(database);
  const runs = runsOf(database);
  const care = sessionCareOf(database);
  const owners = join(dataDirectory, "owners");
  const isBusy = (id: SessionId): boolean =>
    runs.open(id).some(({ owner }) => isAlive(owners, owner));
  return {
    sessions,
    messages: messagesOf(database),
    rename: care.rename,
    remove: (seen) =>
      database.transaction(() => {
        if (sessions.get(seen.id)?.updatedAt !== seen.updatedAt) return false;
        const family = care.family(seen.id);
        if (family.some(isBusy)) throw busy(seen.id);
        for (const id of family) care.remove(id);
        return true;
      }, "full"),
    [Symbol.dispose]: () => database.close(),
  };
}

function openExisting(file: string): Database | null {
  try {
    if (!statSync(file).isFile()) throw Object.assign(new Error("no file"), { code: "EEXIST" });
  } catch (error) {
    if (isAbsent(error)) return null;
    throw asStorageFailure(error, file);
  }
  try {
    return openDatabase(file, null);
  } catch (error) {
    // Where we may not write: something would have to be made beside the file, or changed in it.
    if (!(error instanceof RunFailed) || !isReadOnly(error.cause)) throw error;
    return openForReading(file);
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "ENOENT" || error.code === "ENOTDIR");

const busy = (id: SessionId): RunFailed =>
  new RunFailed(
    failure("session_busy", `session ${id} is busy`, {
      remedy: "wait until its runs have ended, or cancel them (crush runs lists them)",
    }),
  );
