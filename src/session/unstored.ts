import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunOutcome, RunRecord } from "../protocol/run-record.ts";
import type { StoredPrompt } from "../store/runs.ts";

/** Outcomes that the store would not take: told from here, and stored when there is room again. */
export interface Unstored {
  keep(prompt: StoredPrompt, outcome: RunOutcome, now: number): void;
  has(seq: number): boolean;
  record(runId: RunId): RunRecord | null;
  /** Where they are: somebody has to try again, or what waits behind them waits for ever. */
  sessions(): SessionId[];
  /** Whether one of them still holds the slot of this session. */
  holds(sessionId: SessionId): boolean;
  /** Tries those of a session again; `store` throws when it still cannot. */
  retry(sessionId: SessionId, store: (prompt: StoredPrompt, outcome: RunOutcome) => void): void;
}

interface Kept {
  readonly prompt: StoredPrompt;
  readonly outcome: RunOutcome;
  readonly endedAt: number;
}

export function unstoredOutcomes(): Unstored {
  const kept = new Map<number, Kept>();
  const of = (sessionId: SessionId): Kept[] =>
    [...kept.values()].filter(({ prompt }) => prompt.sessionId === sessionId);
  return {
    keep: (prompt, outcome, endedAt) => void kept.set(prompt.seq, { prompt, outcome, endedAt }),
    has: (seq) => kept.has(seq),
    record: (runId) => {
      const found = [...kept.values()].find(({ prompt }) => prompt.runId === runId);
      return found === undefined ? null : recordOf(found);
    },
    sessions: () => [...kept.values()].map(({ prompt }) => prompt.sessionId),
    holds: (sessionId) => of(sessionId).length > 0,
    retry: (sessionId, store) => {
      for (const { prompt, outcome } of of(sessionId)) {
        try {
          store(prompt, outcome);
          kept.delete(prompt.seq);
        } catch {
          return; // still no room: the next look tries again
        }
      }
    },
  };
}

const recordOf = ({ prompt, outcome, endedAt }: Kept): RunRecord => ({
  runId: prompt.runId ?? ("" as RunId),
  sessionId: prompt.sessionId,
  state: "settled",
  prompt: prompt.prompt,
  acceptedAt: prompt.now,
  startedAt: null,
  endedAt,
  outcome,
});
