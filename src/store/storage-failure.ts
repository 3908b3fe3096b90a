import { failure, RunFailed } from "../protocol/ending.ts";

/** SQLite's primary result codes that mean "the place, not the program". */
const REMEDY: Readonly<Record<number, string>> = {
  5: "another process holds the database; try again, or use another --data-dir",
  8: "make the data directory writable, or name another with --data-dir",
  10: "check the disk, or name another data directory with --data-dir",
  11: "the database is damaged; move it away, or name another data directory with --data-dir",
  13: "free some space, raise CRUSH_RUN_STORE_LIMIT, or name another data directory with --data-dir",
  14: "make the data directory writable, or name another with --data-dir",
  26: "the file is not a database of ours; move it away, or name another data directory with --data-dir",
};

const SYSTEM_CODES = new Set([
  "EACCES",
  "EPERM",
  "ENOENT",
  "ENAMETOOLONG",
  "ELOOP",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "ENOTDIR",
  "EEXIST",
  "EMFILE",
  "ENFILE",
  "EIO",
]);

/** Whether a thrown value is SQLite saying that somebody else holds the lock. */
export const isBusy = (error: unknown): boolean => primaryCode(error) === 5;

/** Whether it says that nothing can be written there: to the file, or beside it. */
export const isReadOnly = (error: unknown): boolean => [8, 14].includes(primaryCode(error) ?? 0);

/** The file is whole and ours, and we are too old for it. */
export class NewerVersion extends Error {
  override readonly name = "NewerVersion";
}

/** The file is whole and ours, and has to be migrated, which its reader may not do. */
export class OlderVersion extends Error {
  override readonly name = "OlderVersion";
}

/** Turns what SQLite or the file system threw into a `storage` failure; anything else is returned as it came. */
export function asStorageFailure(error: unknown, path: string): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const remedy = remedyFor(error);
  if (remedy !== undefined) return storage(`cannot use ${path}: ${text}`, remedy, error);
  if (isSystemError(error) && SYSTEM_CODES.has(error.code)) {
    const why = `cannot use the data directory ${path}: ${error.code}`;
    return storage(why, "make it writable, or name another with --data-dir", error);
  }
  return error;
}

function remedyFor(error: unknown): string | undefined {
  if (error instanceof NewerVersion)
    return "update crush-run, or name another data directory with --data-dir";
  if (error instanceof OlderVersion)
    return "make the data directory writable, so that it can be brought up to date";
  const code = primaryCode(error);
  return code === null ? undefined : REMEDY[code];
}

const storage = (message: string, remedy: string, cause: unknown): RunFailed =>
  new RunFailed(failure("storage", message, { remedy }), { cause });

/** The driver names the code of a failed query only in the words of SQLite. */
const CODE_OF_WORDS: Readonly<Record<string, number>> = {
  "database is locked": 5,
  "attempt to write a readonly database": 8,
  "disk I/O error": 10,
  "database disk image is malformed": 11,
  "database or disk is full": 13,
  "unable to open database file": 14,
  "file is not a database": 26,
};

function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  const isOfSqlite = isSystemError(error) && error.code === "ERR_SQLITE_ERROR";
  return isOfSqlite ? (CODE_OF_WORDS[error.message] ?? null) : null;
}

const isSystemError = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && "code" in error && typeof error.code === "string";
