import type { RunFailure } from "../protocol/ending.ts";
import type { RunAborted } from "../protocol/run-aborted.ts";
import type { RunEnd } from "../run/follow-run.ts";

/** How a command ends, as its exit status tells it. */
export type Ending = Pick<RunEnd, "reason" | "failure">;

/** Output that did not arrive is no success, whatever the run says; a reader that left explains everything else. */
export function worst(end: Ending, lost: RunAborted | null): Ending {
  if (lost === null) return end;
  if (lost.reason === "reader_left" || end.reason === "end_turn" || end.reason === lost.reason)
    return { reason: lost.reason, failure: lost.failure satisfies RunFailure };
  return end;
}
