import { ENDINGS, failure, isReason, type Reason } from "../protocol/ending.ts";
import { remedyOf } from "../protocol/remedy.ts";

/** One row of the ending table, for people. */
export interface ExitRow {
  /** Exit status as it is shown: a number, or `128+n` where it is that of a signal. */
  readonly exit: string;
  readonly status: string;
  readonly reason: Reason;
  readonly retryable: boolean;
  /** Null after a success. */
  readonly remedy: string | null;
}

/** The ending table in the order of its exit statuses. */
export const exitRows = (): readonly ExitRow[] =>
  Object.entries(ENDINGS)
    .sort(([, a], [, b]) => a.exitCode - b.exitCode)
    .flatMap(([reason, { status, exitCode, retryable }]) =>
      isReason(reason)
        ? [
            {
              exit: reason === "signal" ? "128+n" : String(exitCode),
              status,
              reason,
              retryable,
              remedy: reason === "end_turn" ? null : remedyOf(failure(reason, "")),
            },
          ]
        : [],
    );

/** A line for each exit status, with its reasons as far as the width goes. */
export function shortExitTable(width: number): readonly string[] {
  const rows = exitRows();
  const exits = [...new Set(rows.map(({ exit }) => exit))];
  return exits.map((exit) => {
    const same = rows.filter((row) => row.exit === exit);
    const reasons = same.map(({ reason }) => reason).join(", ");
    const line = `  ${exit.padEnd(5)}  ${(same[0]?.status ?? "").padEnd(9)}  ${reasons}`;
    return line.length <= width ? line : `${line.slice(0, width - 2).replace(/,[^,]*$/, ",")} …`;
  });
}

/** The whole table: exit status, reason, status, and below what helps. */
export function longExitTable(): readonly string[] {
  const rows = exitRows();
  return rows.map(({ exit, status, reason, retryable, remedy }, at) => {
    const code = rows[at - 1]?.exit === exit ? "" : exit;
    const head = `  ${code.padEnd(5)}  ${reason.padEnd(20)}  ${status.padEnd(9)}`;
    const again = retryable ? "may be tried again" : "";
    const help = remedy === null ? "" : `\n         ${remedy}`;
    return `${`${head}  ${again}`.trimEnd()}${help}`;
  });
}
