import { expect, test } from "vitest";
import { ENDINGS, isReason, type Reason } from "../../src/protocol/ending.ts";

/** design.md section 2, the ending table: status, exit code, the reasons of that row, and those that may be tried again. */
const TABLE: readonly (readonly [string, number, readonly Reason[], (readonly Reason[])?])[] = [
  ["completed", 0, ["end_turn"]],
  ["failed", 1, ["provider_error", "content_filter", "internal"]],
  ["failed", 1, ["empty_output", "interrupted"], ["empty_output", "interrupted"]],
  ["invalid", 2, ["usage", "invalid_config", "unknown_model", "unknown_session"]],
  ["invalid", 2, ["no_prompt", "stdin_wait", "unknown_run", "run_conflict"]],
  ["cancelled", 3, ["by_client", "by_shutdown"], ["by_shutdown"]],
  ["failed", 4, ["auth_missing", "auth_refused"]],
  ["failed", 5, ["provider_unavailable", "session_busy"], ["provider_unavailable", "session_busy"]],
  ["failed", 5, ["queue_full"], ["queue_full"]],
  ["limited", 6, ["turns", "tool_calls", "tokens", "cost", "context", "output_tokens", "loop"]],
  ["blocked", 7, ["needs_approval", "needs_input"]],
  ["failed", 8, ["schema", "output_write", "storage"]],
  ["unknown", 9, ["server_lost"]],
  ["failed", 10, ["check_failed"]],
  ["timed_out", 124, ["timeout", "idle_timeout"], ["idle_timeout"]],
  ["cancelled", 130, ["signal"], ["signal"]],
  ["cancelled", 141, ["reader_left"]],
];

test("every reason has the status, the exit code and the advice of the documented table, and there is no other", () => {
  const rows = TABLE.flatMap(([status, exitCode, reasons, again = []]) =>
    reasons.map((reason) => [reason, { status, exitCode, retryable: again.includes(reason) }]),
  );
  expect(ENDINGS).toEqual(Object.fromEntries(rows));
});

test("only a completed run has exit status 0", () => {
  const zero = Object.entries(ENDINGS).filter(([, { exitCode }]) => exitCode === 0);
  expect(zero.map(([reason]) => reason)).toEqual(["end_turn"]);
});

test("a reason is a key of the table and nothing that objects have of themselves", () => {
  expect(isReason("timeout")).toBe(true);
  for (const other of ["", "toString", "__proto__", "constructor", null, 3])
    expect(isReason(other)).toBe(false);
});
