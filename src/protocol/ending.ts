/**
 * The ending table of the product: every way a run can end, its status, exit code and whether the same
 * command may be tried again. One table for every mode and format. Source: docs/exit-status.md.
 */
export type RunStatus =
  | "completed"
  | "failed"
  | "invalid"
  | "cancelled"
  | "limited"
  | "blocked"
  | "unknown"
  | "timed_out";

interface EndingRow {
  readonly status: RunStatus;
  /** Exit code; a signal's own ending (`128 + n` in a shell) is decided by `cli/`. */
  readonly exitCode: number;
  readonly retryable: boolean;
}

const row = (status: RunStatus, exitCode: number, retryable = false): EndingRow => ({
  status,
  exitCode,
  retryable,
});

export const ENDINGS = {
  end_turn: row("completed", 0),

  provider_error: row("failed", 1),
  content_filter: row("failed", 1),
  internal: row("failed", 1),
  empty_output: row("failed", 1, true),
  interrupted: row("failed", 1, true),

  usage: row("invalid", 2),
  invalid_config: row("invalid", 2),
  unknown_model: row("invalid", 2),
  unknown_session: row("invalid", 2),
  unknown_run: row("invalid", 2),
  run_conflict: row("invalid", 2),
  no_prompt: row("invalid", 2),
  stdin_wait: row("invalid", 2),

  by_client: row("cancelled", 3),
  by_shutdown: row("cancelled", 3, true),

  auth_missing: row("failed", 4),
  auth_refused: row("failed", 4),

  provider_unavailable: row("failed", 5, true),
  session_busy: row("failed", 5, true),
  queue_full: row("failed", 5, true),

  turns: row("limited", 6),
  tool_calls: row("limited", 6),
  tokens: row("limited", 6),
  cost: row("limited", 6),
  context: row("limited", 6),
  output_tokens: row("limited", 6),
  loop: row("limited", 6),

  needs_approval: row("blocked", 7),
  needs_input: row("blocked", 7),

  schema: row("failed", 8),
  output_write: row("failed", 8),
  storage: row("failed", 8),

  server_lost: row("unknown", 9),

  check_failed: row("failed", 10),

  timeout: row("timed_out", 124),
  idle_timeout: row("timed_out", 124, true),

  signal: row("cancelled", 130, true),
  reader_left: row("cancelled", 141),
} as const satisfies Record<string, EndingRow>;

/** Why a run ended; the key of the table. */
export type Reason = keyof typeof ENDINGS;

export const isReason = (value: unknown): value is Reason =>
  typeof value === "string" && Object.hasOwn(ENDINGS, value);

/** What went wrong, for a person: one line each. `reason` is the code. */
export interface RunFailure {
  readonly reason: Exclude<Reason, "end_turn">;
  /** One line, no secrets, no trailing period. */
  readonly message: string;
  /** What to do about it, one line. */
  readonly remedy: string | null;
  readonly httpStatus: number | null;
  readonly provider: string | null;
}

export function failure(
  reason: RunFailure["reason"],
  message: string,
  more: Partial<Omit<RunFailure, "reason" | "message">> = {},
): RunFailure {
  return { reason, message, remedy: null, httpStatus: null, provider: null, ...more };
}

/** A failure on its way up through code that throws; caught once, where the run is settled. */
export class RunFailed extends Error {
  readonly failure: RunFailure;
  constructor(what: RunFailure, options?: ErrorOptions) {
    super(what.message, options);
    this.name = "RunFailed";
    this.failure = what;
  }
}
