import type { WorkspaceClient } from "../client/client.ts";
import type { RunId } from "../protocol/ids.ts";
import type { RunOutcome, RunRecord } from "../protocol/run-record.ts";
import type { Clock } from "../shared/clock.ts";

/** A record whose run has ended. */
export type SettledRecord = RunRecord & { readonly outcome: RunOutcome };

const LOOK_EVERY_MS = 100;

/**
 * Waits until a run has ended, whichever process it goes on in: the record is the authority, and looking at it settles the run of a
 * process that died. Rejects with `RunFailed` (`unknown_run`), or with `signal.reason`.
 */
export async function awaitRun(
  client: WorkspaceClient,
  runId: RunId,
  clock: Clock,
  signal: AbortSignal,
): Promise<SettledRecord> {
  for (;;) {
    const record = await client.getRun(runId, signal);
    if (record.outcome !== null) return { ...record, outcome: record.outcome };
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
