import { failure, RunFailed } from "../protocol/ending.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import type { RunState } from "../protocol/run-record.ts";
import type { StoredPrompt } from "../store/runs.ts";
import type { Store } from "../store/store.ts";

export interface PromptRequest {
  readonly sessionId: SessionId;
  /** Null: nobody waits for this prompt. */
  readonly runId: RunId | null;
  readonly prompt: string;
  readonly options: RunOptions;
  /** Equal for equal bodies. */
  readonly bodyHash: string;
}

/** What a prompt was taken in as. `attached`: its RunID was known already, and it is not run a second time. */
export interface Accepted {
  readonly seq: number;
  readonly state: RunState;
  readonly attached: boolean;
}

/**
 * The accept section: the prompt gets its sequence and is stored, reserved. `prompt` is null when an earlier one is attached to.
 * Call inside a transaction. Throws `RunFailed` (`run_conflict`, `unknown_session`).
 */
export function take(
  store: Store,
  request: PromptRequest,
  now: number,
): { readonly accepted: Accepted; readonly prompt: StoredPrompt | null } {
  const known = request.runId === null ? null : store.runs.find(request.runId);
  if (known !== null) {
    if (known.bodyHash !== request.bodyHash) throw conflict(known);
    return { accepted: { seq: known.seq, state: known.state, attached: true }, prompt: null };
  }
  if (store.sessions.get(request.sessionId) === null) throw unknownSession(request.sessionId);
  const seq = store.runs.insert({ ...request, owner: store.ownerId, now });
  const prompt: StoredPrompt = {
    ...request,
    owner: store.ownerId,
    now,
    seq,
    state: "reserved",
  };
  return { accepted: { seq, state: "reserved", attached: false }, prompt };
}

const conflict = (known: StoredPrompt): RunFailed =>
  new RunFailed(
    failure("run_conflict", `the run id ${known.runId ?? ""} was used for another prompt`, {
      remedy: "use a fresh run id",
    }),
  );

const unknownSession = (id: SessionId): RunFailed =>
  new RunFailed(
    failure("unknown_session", `there is no session ${id}`, {
      remedy: "leave out --session to start a new one",
    }),
  );

export const unknownRun = (id: RunId): RunFailed =>
  new RunFailed(
    failure("unknown_run", `there is no run ${id}`, {
      remedy: "check the run id, --cwd and --data-dir",
    }),
  );
