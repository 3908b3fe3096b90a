import type { SessionId } from "../protocol/ids.ts";
import type { Database } from "./database.ts";

export interface ReadFiles {
  /** Digest of a file when this session last read or wrote it. */
  lastSeen(sessionId: SessionId, path: string): string | null;
  record(sessionId: SessionId, path: string, digest: string, now: number): void;
}

/** The `read_files` table. Times are Unix seconds. */
export function readFilesOf(database: Database): ReadFiles {
  return {
    lastSeen: (sessionId, path) =>
      database.get<{ digest: string }>(
        "SELECT digest FROM read_files WHERE session_id = ? AND path = ?",
        sessionId,
        path,
      )?.digest ?? null,
    record: (sessionId, path, digest, now) => {
      database.run(
        `INSERT INTO read_files (session_id, path, digest, read_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (session_id, path) DO UPDATE SET digest = excluded.digest, read_at = excluded.read_at`,
        sessionId,
        path,
        digest,
        now,
      );
    },
  };
}
