import type { DenialKind } from "../protocol/run-record.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Wish } from "./permissions/permissions.ts";

/** What a tool may touch, and how it tells that it is alive. */
export interface ToolContext {
  /** Real path of the working directory. */
  readonly cwd: string;
  /** Environment for child processes and connections: scrubbed of provider keys, with `CI=1` and friends. */
  readonly env: Readonly<Record<string, string>>;
  /** What this session has read, so that an edit of an unread or changed file is refused. */
  readonly files: FileTracker;
  /**
   * Asks leave for what the call touches; null when it may go on, else its result. A tool whose rules take a pattern asks itself, before
   * it acts; the others are asked about as a whole before they run.
   */
  readonly permit: (wish: Wish) => Promise<ToolResult | null>;
  /** Whether a deny rule keeps a file (by its real path) out of what is listed; null when there is no such rule. */
  readonly hides: ((real: string) => boolean) | null;
  readonly signal: AbortSignal;
  /** Called as output arrives, with the number of bytes so far. Must not throw. */
  readonly onProgress: (bytes: number) => void;
}

/** What a session knows of the files it has read. Kept by the store. */
export interface FileTracker {
  /** The digest of the file's bytes when it was last read or written in this session. */
  lastSeen(absolutePath: string): string | null;
  record(absolutePath: string, digest: string): void;
}

export interface ToolResult {
  /** What the model sees. Bounded; a cut is noted in the text itself. */
  readonly content: string;
  readonly isError: boolean;
  readonly truncated: boolean;
  /** For the record, not for the model. */
  readonly metadata?: JsonObject;
  /** The call was refused: by a rule, or because nobody could approve it. */
  readonly denied?: { readonly kind: DenialKind; readonly rule: string; readonly remedy: string };
}

/**
 * One tool. `run` never throws for bad input or a failed operation: that is a result with `isError`. It rejects with
 * `signal.reason` when aborted, and leaves no process behind.
 */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema (draft 7) of the input object. */
  readonly inputSchema: JsonObject;
  /** Changes nothing: neighbouring calls of such tools may run at the same time. */
  readonly readsOnly?: boolean;
  /** `input` is the decoded JSON object the model wrote; the tool checks its fields. */
  run(input: JsonObject, context: ToolContext): Promise<ToolResult>;
}
