import type { WorkspaceClient } from "../client/client.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { Clock } from "../shared/clock.ts";

const LOOK_EVERY_MS = 200;
const READY_MS = 30_000;

/**
 * Waits for the agent of a server that makes it ready before it takes prompts; ours makes each prompt ready by itself. Rejects with
 * `RunFailed` after thirty seconds, or with `signal.reason` (behaviour.md CLI-26).
 */
export async function awaitReady(
  client: Pick<WorkspaceClient, "isReady">,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const since = clock.monotonic();
  while (!(await client.isReady(signal))) {
    if (clock.monotonic() - since >= READY_MS) throw new RunFailed(LATE);
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

const LATE = failure("provider_unavailable", "the server's agent was not ready within 30 s", {
  remedy: "check the configuration of the server, and try again",
});
