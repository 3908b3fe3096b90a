import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "@photostructure/sqlite";
import { ensureDirectory } from "./ensure-directory.ts";
import { isBusy } from "./storage-failure.ts";

/** This process as the others see it: alive as long as it holds the lock of its own file. */
export interface Owner extends Disposable {
  readonly id: string;
}

/**
 * Takes an exclusive SQLite lock on `owners/<id>.db`. The kernel frees it when the process dies in whatever way, so the lock, not a pid
 * or a heartbeat, tells the living from the dead. It must be held before the first prompt names it. Removes the files of the dead.
 */
export function becomeOwner(directory: string): Owner {
  ensureDirectory(directory);
  forgetDead(directory);
  for (;;) {
    const owner = lockNewFile(directory);
    if (owner !== null) return owner;
  }
}

/** Null when somebody took the file for a dead one's, between its creation and the lock. */
function lockNewFile(directory: string): Owner | null {
  const id = randomUUID();
  const path = join(directory, `${id}${SUFFIX}`);
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    // Locked by whoever removes it, or removed under our hands, which SQLite takes for an error of the disk.
    if (isBusy(error) || !existsSync(path)) return null;
    throw error;
  }
  if (!existsSync(path)) {
    lock.close();
    return null;
  }
  return {
    id,
    [Symbol.dispose]: () => {
      if (!lock.isOpen) return;
      lock.close();
      rmSync(path, { force: true });
    },
  };
}

function forgetDead(directory: string): void {
  for (const file of readdirSync(directory)) {
    if (!file.endsWith(SUFFIX)) continue;
    try {
      isAlive(directory, file.slice(0, -SUFFIX.length));
    } catch {
      // Not ours to remove: it costs a place in the directory, no more.
    }
  }
}

const SUFFIX = ".db";

/** Whether the owner's process still lives. Never ask for yourself. Removes the file of a dead one. */
export function isAlive(directory: string, id: string): boolean {
  const path = join(directory, `${id}${SUFFIX}`);
  if (!existsSync(path)) return false;
  const probe = new DatabaseSync(path, { timeout: 0 });
  try {
    probe.exec("BEGIN EXCLUSIVE");
    rmSync(path, { force: true }); // while nobody else can lock it
    probe.exec("ROLLBACK");
  } catch (error) {
    if (isBusy(error)) return true;
    if (existsSync(path)) throw error; // else somebody else has found it dead at the same moment
  } finally {
    probe.close();
  }
  return false;
}
