import type { RunId } from "../protocol/ids.ts";
import type { RunOutcome, RunRecord } from "../protocol/run-record.ts";
import type { StoredPrompt } from "../store/runs.ts";

/** The record of a prompt whose outcome the store would not take. */
export function settledRecord(prompt: StoredPrompt, outcome: RunOutcome, now: number): RunRecord {
  return {
    runId: prompt.runId ?? ("" as RunId),
    sessionId: prompt.sessionId,
    state: "settled",
    prompt: prompt.prompt,
    acceptedAt: prompt.now,
    startedAt: null,
    endedAt: now,
    outcome,
  };
}
