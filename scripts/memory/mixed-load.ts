import { newRunId, type RunId, type SessionId } from "../../src/protocol/ids.ts";

/** Where prompts go: a dispatcher, or a server around one. */
export interface Target {
  readonly sessions: readonly SessionId[];
  accept(session: SessionId, runId: RunId | null, prompt: string): Promise<void>;
  cancelRun(runId: RunId): Promise<void>;
  cancelSession(session: SessionId): Promise<void>;
  /** Resolves when the run has its terminal event. */
  ended(runId: RunId): Promise<void>;
}

const LANES = 50;
const KINDS = 10;
/** One kind of them is three. */
const PROMPTS_OF_KINDS = 12;

/**
 * Sends `prompts` prompts, over all sessions in turn, of every kind: alone and in threes, with and without a RunID, posted twice, cancelled
 * early and late, doomed. Resolves when none is open: what has no RunID stands before one that has.
 */
export async function sendMixed(target: Target, prompts: number): Promise<void> {
  const units = Math.ceil((prompts * KINDS) / PROMPTS_OF_KINDS);
  let next = 0;
  const one = async (session: SessionId, kind: number): Promise<void> => {
    const runId = newRunId();
    const prompt = kind === 3 ? "doomed" : "hi";
    await target.accept(session, runId, prompt);
    if (kind === 0) await target.accept(session, runId, prompt); // attaches
    if (kind === 1) await target.cancelRun(runId);
    if (kind === 2) {
      await target.accept(session, null, "and this");
      const third = newRunId();
      await target.accept(session, third, "and then that");
      await target.ended(third);
    }
    if (kind === 4) {
      await turnOfTheLoop();
      await target.cancelSession(session);
    }
    await target.ended(runId);
  };
  const lane = async (): Promise<void> => {
    for (let n = next++; n < units; n = next++) {
      const count = target.sessions.length;
      const session = target.sessions[n % count];
      // Each session gets each kind in turn.
      if (session !== undefined) await one(session, (n + Math.floor(n / count)) % KINDS);
      await turnOfTheLoop();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await turnOfTheLoop(); // the last tasks end
}

const turnOfTheLoop = async (): Promise<void> =>
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
