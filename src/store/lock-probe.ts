import { createRequire } from "node:module";
import { join } from "node:path";
import { becomeOwner, type Owner } from "./owners.ts";

/** A lock as each process holds one, and the command by which another process asks for it. */
export interface LockProbe extends Disposable {
  readonly file: string;
  readonly args: readonly string[];
}

/** What the command prints. Anything else: it could not ask. */
export const LOCK_HELD = "held";
export const LOCK_FREE = "free";

/**
 * Whether locks keep processes apart is a matter of the file system (some network mounts grant everything to everybody), and a
 * process cannot ask that of its own lock: another one has to. `directory` must be empty; throws what `becomeOwner` throws.
 */
export function probeLock(directory: string): LockProbe {
  const owner: Owner = becomeOwner(directory);
  const driver = createRequire(import.meta.url).resolve("@photostructure/sqlite");
  return {
    file: process.execPath,
    args: ["-e", ASK, driver, join(directory, `${owner.id}.db`)],
    [Symbol.dispose]: () => owner[Symbol.dispose](),
  };
}

const ASK = `
const [driver, path] = process.argv.slice(1);
const { DatabaseSync } = require(driver);
const { writeSync } = require("node:fs");
const database = new DatabaseSync(path, { timeout: 0 });
try {
  database.exec("BEGIN EXCLUSIVE");
  writeSync(1, "${LOCK_FREE}");
} catch (error) {
  if ((error.errcode & 255) === 5 || /locked/.test(error.message)) writeSync(1, "${LOCK_HELD}");
}
database.close();`;
