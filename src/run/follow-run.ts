import type { PromptBody, WorkspaceClient } from "../client/client.ts";
import { failure, RunFailed, type Reason, type RunFailure } from "../protocol/ending.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import type { RunRecord } from "../protocol/run-record.ts";
import type { Clock } from "../shared/clock.ts";
import { orAborted } from "../shared/or-aborted.ts";
import { childScope } from "../shared/scope.ts";
import { end, followStream, step, type StreamEffect, type TextMode } from "./run-stream.ts";

export interface RunOutput {
  /** Resolves when the bytes are with the reader. Rejects with `RunAborted` when they cannot be. */
  print(text: string): Promise<void>;
  tell(event: RunEvent): void;
}

export interface FollowOptions {
  readonly client: WorkspaceClient;
  readonly prompt: PromptBody;
  readonly mode: TextMode;
  readonly output: RunOutput;
  readonly clock: Clock;
  /** How long the cancelled terminal is waited for. Milliseconds. */
  readonly killAfterMs: number;
  /** Fires with a `RunAborted` when the run shall end: a signal, a reader that left, a deadline. */
  readonly cancel: AbortSignal;
}

/** How the followed run ended, as the exit status has to tell it. */
export interface RunEnd {
  readonly reason: Reason;
  readonly failure: RunFailure | null;
  /** Null when the outcome could not be learned. */
  readonly record: RunRecord | null;
}

/** The server has its own `killAfter`; this much later we stop believing in it. */
const GRACE_MS = 1_000;
const LOOK_UPS = 3;

/**
 * Posts one prompt and follows it to its end: the events are opened first, the text is printed as the mode says, and the verdict is
 * the run's record. A cancel is asked for by RunID and waited for. Rejects only with `RunFailed` for a prompt that was
 * refused.
 */
export async function followRun(options: FollowOptions): Promise<RunEnd> {
  const { client, prompt, output, cancel } = options;
  // What we do for the run must outlive the cancel, but not its bound.
  using patience = childScope(new AbortController().signal);
  const onCancel = (): void => {
    const { reason } = cancel.reason as RunAborted;
    setTimeout(() => patience.abort(cancel.reason), options.killAfterMs + GRACE_MS).unref();
    client.cancelRun(prompt.runId, reason, patience.signal).catch(() => {
      // Not accepted yet, or gone already: the bound above ends the wait.
    });
  };
  let state = followStream(prompt.runId, prompt.sessionId, options.mode);
  const act = async (effects: readonly StreamEffect[]): Promise<void> => {
    for (const effect of effects) {
      // A reader that no longer reads holds us no longer than the cancel's bound.
      if (effect.type === "print") await orAborted(output.print(effect.text), patience.signal);
      else if (effect.type === "tell") output.tell(effect.event);
    }
  };
  try {
    const events = await client.events(patience.signal);
    const accepted = await client.prompt(prompt, patience.signal);
    if (cancel.aborted) onCancel();
    else cancel.addEventListener("abort", onCancel, { once: true });
    if (!accepted.settled) {
      for await (const event of events) {
        const [next, effects] = step(state, event);
        state = next;
        await act(effects);
        if (state.phase === "terminal") break;
        patience.signal.throwIfAborted();
      }
    }
    const record = await lookUp(options, patience.signal);
    const [, effects] = end(state, record);
    await act(effects);
    return {
      reason: record.outcome?.reason ?? "server_lost",
      failure: record.outcome?.failure ?? null,
      record,
    };
  } catch (error) {
    if (error instanceof RunAborted)
      return { reason: error.reason, failure: error.failure, record: null };
    throw error;
  } finally {
    cancel.removeEventListener("abort", onCancel);
  }
}

/** The record of the run, settled; a few tries, because its process may be settling it this moment. */
async function lookUp(options: FollowOptions, signal: AbortSignal): Promise<RunRecord> {
  const { client, prompt, clock } = options;
  for (let attempt = 1; ; attempt += 1) {
    const record = await client.getRun(prompt.runId, signal);
    if (record.outcome !== null) return record;
    if (attempt === LOOK_UPS) break;
    await clock.sleep(100 * attempt, signal);
  }
  const message = `the server lost the run ${prompt.runId}`;
  const remedy = `ask for it with: crush show ${prompt.runId}`;
  throw new RunFailed(failure("server_lost", message, { remedy }));
}
