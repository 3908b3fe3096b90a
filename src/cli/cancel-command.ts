import { ENDINGS } from "../protocol/ending.ts";
import type { RunId } from "../protocol/ids.ts";
import { awaitRun } from "../run/await-run.ts";
import { systemClock } from "../shared/clock.ts";
import type { Flags } from "./flag-values.ts";
import { printOut } from "./print-out.ts";
import { timeLimit } from "./time-limit.ts";
import { withWorkspace } from "./with-workspace.ts";

/** For the process of the run to hear of it and to wind down. */
const CANCEL_MS = 60_000;

/** `crush cancel`: ends a run, in whatever process it goes on, and tells how it ended. */
export async function cancelCommand(runId: string, flags: Flags): Promise<number> {
  const signal = timeLimit(
    CANCEL_MS,
    `the cancel is noted; see what becomes of it with: crush wait ${runId}`,
  );
  const { reason } = await withWorkspace(flags, signal, async (client) => {
    await client.cancelRun(runId as RunId, "by_client", signal);
    return (await awaitRun(client, runId as RunId, systemClock, signal)).outcome;
  });
  return await printOut(`${runId} ${ENDINGS[reason].status} (${reason})\n`);
}
