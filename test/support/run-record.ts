import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { RunOutcome, RunRecord } from "../../src/protocol/run-record.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";

/** The record of a run that has ended; completed with "ok" unless told otherwise. */
export function settledRecord(runId: RunId, outcome: Partial<RunOutcome> = {}): RunRecord {
  return {
    ...openRecord(runId),
    state: "settled",
    endedAt: 2,
    outcome: {
      reason: "end_turn",
      failure: null,
      text: "ok",
      messageId: "m1" as MessageId,
      partial: false,
      usage: NO_USAGE,
      costUsd: 0,
      turns: 1,
      toolCalls: 0,
      models: ["fake/one"],
      denials: [],
      warnings: [],
      ...outcome,
    },
  };
}

export const openRecord = (runId: RunId): RunRecord => ({
  runId,
  sessionId: "s" as SessionId,
  state: "active",
  prompt: "p",
  acceptedAt: 1,
  startedAt: 1,
  endedAt: null,
  outcome: null,
});
