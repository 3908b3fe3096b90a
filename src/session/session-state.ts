import type { SessionId } from "../protocol/ids.ts";
import type { Store } from "../store/store.ts";
import type { SessionState } from "./decide.ts";

/** The state of one session as the store has it. Call inside the transaction that decides. */
export function loadState(store: Store, sessionId: SessionId): SessionState {
  const prompts = store.runs.open(sessionId).map(({ seq, owner, state, cancel, foldable }) => ({
    seq,
    owner,
    phase: state,
    cancel,
    foldable,
  }));
  return { prompts, mark: store.sessions.cancelMark(sessionId) };
}

/** Writes what a decision changed. Prompts that left are settled by their own effects. */
export function saveState(
  store: Store,
  sessionId: SessionId,
  before: SessionState,
  after: SessionState,
  now: number,
): void {
  const known = new Map(before.prompts.map((prompt) => [prompt.seq, prompt]));
  for (const prompt of after.prompts) {
    const old = known.get(prompt.seq);
    if (old !== undefined && old.phase !== prompt.phase)
      store.runs.move(prompt.seq, prompt.phase, now);
    if (prompt.cancel !== null && old?.cancel === null)
      store.runs.requestCancel(prompt.seq, prompt.cancel);
  }
  if (before.mark?.upTo !== after.mark?.upTo) store.sessions.setCancelMark(sessionId, after.mark);
}
