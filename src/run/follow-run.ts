import type { PromptBody, WorkspaceClient } from "../client/client.ts";
import type { Place } from "../client/read-events.ts";
import { reconnecting, type Reconnecting } from "../client/reconnect.ts";
import { failure, RunFailed, type Reason, type RunFailure } from "../protocol/ending.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import type { RunRecord } from "../protocol/run-record.ts";
import type { Clock } from "../shared/clock.ts";
import { orAborted } from "../shared/or-aborted.ts";
import { followReference } from "./follow-reference.ts";
import { givingUp, type GivingUp } from "./giving-up.ts";
import { deliver } from "./deliver.ts";
import { end, followStream, leave, step, type StreamEffect, type TextMode } from "./run-stream.ts";

export interface RunOutput {
  /** Resolves when the bytes are with the reader. Rejects with `RunAborted` when they cannot be. */
  print(text: string): Promise<void>;
  /** A promise is waited for before anything else is read. */
  tell(event: RunEvent): Promise<void> | void;
  /** The run was known already, and what is told from here on is its end alone. */
  attached?(): void;
  /** The first own output, the own end or the own error is here. */
  stopSpinner?(): void;
}

export interface FollowOptions {
  readonly client: WorkspaceClient;
  readonly prompt: PromptBody;
  readonly mode: TextMode;
  readonly output: RunOutput;
  readonly clock: Clock;
  /** How long the cancelled terminal is waited for. Milliseconds. */
  readonly killAfterMs: number;
  /** Whether the server keeps records of runs (`run_resource` of its capabilities); it does unless told otherwise. */
  readonly hasRecords?: boolean;
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

const LOOK_UPS = 3;
/** Five and a half seconds. */
const GAP_LOOK_UPS = 10;

/**
 * Posts one prompt and follows it to its end: the events are opened first, the text is printed as the mode says, and the verdict is
 * the run's record. A cancel, or output that cannot be delivered, ends the run by its RunID, and its end is waited for. Rejects
 * only with `RunFailed` for a prompt that was refused.
 */
export async function followRun(options: FollowOptions): Promise<RunEnd> {
  const { client, prompt, cancel } = options;
  const hasRecords = options.hasRecords ?? true;
  using giveUp = givingUp(
    async (reason, signal) =>
      await (hasRecords
        ? client.cancelRun(prompt.runId, reason, signal)
        : client.cancelSession(prompt.sessionId, signal)),
    options.killAfterMs,
  );
  const onCancel = (): void => giveUp.request(cancel.reason as RunAborted);
  cancel.addEventListener("abort", onCancel, { once: true });
  try {
    cancel.throwIfAborted();
    // Nothing is asked of the server yet: a cancel simply ends it here.
    const place: Place = { lastId: null };
    const events = await orAborted(client.events(giveUp.signal, "deltas", place), cancel);
    giveUp.posting();
    const accepted = await client.prompt(prompt, giveUp.signal);
    giveUp.accepted();
    if (accepted.attached) options.output.attached?.();
    if (!hasRecords) return await followReference(options, events, giveUp);
    return await followEvents(options, accepted.settled ? null : { events, place }, giveUp);
  } catch (error) {
    if (error instanceof RunAborted)
      return { reason: error.reason, failure: error.failure, record: null };
    throw error;
  } finally {
    cancel.removeEventListener("abort", onCancel);
  }
}

/** `opened` is null when the run has ended already. */
async function followEvents(
  options: FollowOptions,
  opened: Pick<Reconnecting, "events" | "place"> | null,
  giveUp: GivingUp,
): Promise<RunEnd> {
  const { prompt, client, clock } = options;
  const { signal } = giveUp;
  const printer = deliver(options.output, giveUp);
  const act = async (effects: readonly StreamEffect[]): Promise<RunRecord | null> => {
    let found: RunRecord | null = null;
    for (const effect of effects) {
      if (effect.type === "print") await printer.print(effect.text);
      else if (effect.type === "tell") await printer.tell(effect.event);
      else if (state.phase === "terminal") found = await settledRecord(options, signal);
      else {
        const told = await recordAfterGap(options, signal);
        isUnknown = told === null;
        if (told !== null && told.outcome !== null) found = told;
      }
    }
    return found;
  };

  let state = followStream(prompt.runId, prompt.sessionId, options.mode);
  let record: RunRecord | null = null;
  /** The end may have been lost, and nobody could say whether it was. */
  let isUnknown = false;
  const isOver = async (): Promise<boolean> => {
    record = await settledRecord(options, signal);
    return record !== null;
  };
  try {
    if (opened !== null)
      for await (const event of reconnecting({ client, clock, isOver, ...opened }, signal)) {
        const [next, effects] = step(state, event);
        state = next;
        record = await act(effects);
        if (state.phase === "terminal" || record !== null || isUnknown) break;
        signal.throwIfAborted();
      }
    record ??= await lookUp(options, signal);
  } catch (error) {
    printer.leave(leave(state));
    throw error;
  }
  if (record === null) {
    printer.leave(leave(state));
    return lost(options);
  }
  const [, effects] = end(state, record);
  await act(effects);
  return endOf(record, printer.undelivered());
}

/** The record, once it is settled; a few tries, because its process may be settling it this moment. */
async function lookUp(options: FollowOptions, signal: AbortSignal): Promise<RunRecord | null> {
  for (let attempt = 1; attempt <= LOOK_UPS; attempt += 1) {
    const record = await settledRecord(options, signal);
    if (record !== null) return record;
    if (attempt < LOOK_UPS) await options.clock.sleep(100 * attempt, signal);
  }
  return null;
}

/** The terminal event may be among what was lost: a server that cannot say is asked again. Null when it still cannot. */
async function recordAfterGap(
  { client, prompt, clock }: FollowOptions,
  signal: AbortSignal,
): Promise<RunRecord | null> {
  for (let attempt = 1; attempt <= GAP_LOOK_UPS; attempt += 1)
    try {
      return await client.getRun(prompt.runId, signal);
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      await clock.sleep(100 * attempt, signal);
    }
  return null;
}

/** Null while the run is open, and when the server cannot say. */
async function settledRecord(
  { client, prompt }: FollowOptions,
  signal: AbortSignal,
): Promise<RunRecord | null> {
  try {
    const record = await client.getRun(prompt.runId, signal);
    return record.outcome === null ? null : record;
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    return null;
  }
}

/** Output that did not arrive is no success, whatever the run says. */
function endOf(record: RunRecord, undelivered: RunAborted | null): RunEnd {
  const reason = record.outcome?.reason ?? "server_lost";
  if (undelivered !== null && reason === "end_turn")
    return { reason: undelivered.reason, failure: undelivered.failure, record };
  return { reason, failure: record.outcome?.failure ?? null, record };
}

function lost({ prompt }: FollowOptions): RunEnd {
  const message = `the server lost the run ${prompt.runId}`;
  const remedy = `ask for it with: crush show ${prompt.runId}`;
  const what = failure("server_lost", message, { remedy });
  return { reason: what.reason, failure: what, record: null };
}
