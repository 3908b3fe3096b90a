import { RunFailed, type RunFailure } from "../protocol/ending.ts";
import type { Submission, WorkspaceClient } from "./client.ts";

/**
 * Sends a prompt that nobody waits for, as a person types it: without a RunID. Returns what to show when it is not accepted, null when
 * it is; how it goes on comes through the events, and a cancel is no error there. Rejects only with `signal.reason`.
 */
export async function sendPrompt(
  client: Pick<WorkspaceClient, "prompt">,
  prompt: Omit<Submission, "runId">,
  signal: AbortSignal,
): Promise<RunFailure | null> {
  try {
    await client.prompt({ ...prompt, runId: null }, signal);
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
}
