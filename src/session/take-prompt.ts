import type { Attachment } from "../protocol/attachment.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import type { RunState } from "../protocol/run-record.ts";
import type { StoredPrompt } from "../store/runs.ts";
import type { Store } from "../store/store.ts";

export interface PromptRequest {
  readonly kind: StoredPrompt["kind"];
  readonly sessionId: SessionId;
  /** Null: nobody waits for this prompt. */
  readonly runId: RunId | null;
  readonly prompt: string;
  readonly attachments: readonly Attachment[];
  /** Who sends it; null when it does not say. */
  readonly clientId: string | null;
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
 * Call inside a transaction. Throws `RunFailed` (`run_conflict`, `unknown_session`, `session_busy` for a summary and where it was asked for, `queue_full`).
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
  if (store.sessions.title(request.sessionId) === null) throw unknownSession(request.sessionId);
  const open = store.runs.open(request.sessionId).length;
  if (request.kind === "summary" && open > 0) throw busy(request.sessionId);
  if (request.options.ifBusy === "fail" && open > 0) throw busy(request.sessionId);
  if (open >= QUEUE_LIMIT) throw full(request.sessionId);
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

/** Open prompts of one session: more are refused, so that a runaway loop meets an end. */
export const QUEUE_LIMIT = 256;

const busy = (id: SessionId): RunFailed =>
  new RunFailed(
    failure("session_busy", `session ${id} is busy`, {
      remedy: "try again when its run has ended",
    }),
  );

const full = (id: SessionId): RunFailed =>
  new RunFailed(
    failure("queue_full", `${QUEUE_LIMIT} prompts of session ${id} are waiting already`, {
      remedy: "wait for some of them to end, or use another session",
    }),
  );

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
