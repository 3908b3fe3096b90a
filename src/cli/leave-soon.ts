/** For news on a standard error that is read slowly, or a leaked handle. */
const LEAVE_MS = 2_000;

/** All output is written, or given up: whatever still holds the process does not hold the caller longer than this. */
export function leaveSoon(status: number, withinMs = LEAVE_MS): void {
  setTimeout(() => process.exit(status), withinMs).unref();
}
