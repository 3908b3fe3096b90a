import { existsSync, rmSync } from "node:fs";
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
 * or a heartbeat, tells the living from the dead. It must be held before the first prompt names it.
 */
export function becomeOwner(directory: string): Owner {
  ensureDirectory(directory);
  const id = randomUUID();
  const path = join(directory, `${id}.db`);
  const lock = new DatabaseSync(path, { timeout: 0 });
  lock.exec("BEGIN EXCLUSIVE");
  return {
    id,
    [Symbol.dispose]: () => {
      if (!lock.isOpen) return;
      lock.close();
      rmSync(path, { force: true });
    },
  };
}

/** Whether the owner's process still lives. Never ask for yourself. Removes the file of a dead one. */
export function isAlive(directory: string, id: string): boolean {
  const path = join(directory, `${id}.db`);
  if (!existsSync(path)) return false;
  const probe = new DatabaseSync(path, { timeout: 0 });
  try {
    probe.exec("BEGIN EXCLUSIVE");
    probe.exec("ROLLBACK");
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    probe.close();
  }
  rmSync(path, { force: true });
  return false;
}
