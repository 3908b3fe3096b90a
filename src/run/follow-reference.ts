import { failure } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { orAborted } from "../shared/or-aborted.ts";
import { childScope } from "../shared/scope.ts";
import { deliver } from "./deliver.ts";
import type { FollowOptions, RunEnd } from "./follow-run.ts";
import type { GivingUp } from "./giving-up.ts";
import {
  expire,
  followReferenceStream,
  leaveReference,
  stepReference,
  type ReferenceEffect,
} from "./reference-stream.ts";

/** How long the terminal event of a run may be behind its error event. */
const TERMINAL_MS = 1_000;

/**
 * Follows a run on a server that keeps no records: its terminal event is the verdict. Such a server neither replays events nor can it
 * be asked what became of a RunID, so a stream that ends without it leaves the outcome unknown, never a success (CLI-23).
 */
export async function followReference(
  { prompt, mode, output, clock }: FollowOptions,
  events: AsyncIterable<WireEvent>,
  giveUp: GivingUp,
): Promise<RunEnd> {
  const printer = deliver(output, giveUp);
  using waiting = childScope(giveUp.signal);
  const { signal } = waiting;
  const stream = events[Symbol.asyncIterator]();
  let state = followReferenceStream(prompt.runId, prompt.sessionId, mode);
  const moment: { isOver: Promise<"late"> | null } = { isOver: null };
  const act = async (effects: readonly ReferenceEffect[]): Promise<RunEnd | null> => {
    let end: RunEnd | null = null;
    for (const effect of effects)
      if (effect.type === "print") await printer.print(effect.text);
      else if (effect.type === "stop_spinner") output.stopSpinner?.();
      else if (effect.type === "deadline") {
        moment.isOver = clock.sleep(TERMINAL_MS, signal).then(() => "late" as const);
        moment.isOver.catch(() => {}); // the run ended first
      } else end = endOf(effect, printer.undelivered(), giveUp.requested());
    return end;
  };
  try {
    for (;;) {
      const next = stream.next().catch(() => ({ done: true, value: undefined }) as const);
      const heard = await orAborted(
        moment.isOver === null ? next : Promise.race([next, moment.isOver]),
        signal,
      );
      const isOver = heard === "late" || heard.done === true;
      const [following, effects] = isOver ? expire(state) : stepReference(state, heard.value);
      state = following;
      const end = await act(effects);
      if (end !== null) return end;
      if (!isOver) continue;
      printer.leave(leaveReference(state));
      return lost(prompt.sessionId);
    }
  } catch (error) {
    printer.leave(leaveReference(state));
    throw error;
  }
}

/**
 * Output that did not arrive is no success. Such a server does not say why a run was cancelled: when we wanted its end, that is why
 * (W-4).
 */
function endOf(
  { reason, failure: what }: Extract<ReferenceEffect, { type: "end" }>,
  undelivered: RunAborted | null,
  requested: RunAborted | null,
): RunEnd {
  const cancel = reason === "by_client" ? (requested ?? new RunAborted(reason)) : null;
  const aborted = undelivered ?? cancel;
  if (aborted !== null) return { reason: aborted.reason, failure: aborted.failure, record: null };
  return { reason, failure: what, record: null };
}

function lost(sessionId: string): RunEnd {
  const what = failure("server_lost", "the server's events ended before the run did", {
    remedy: `look at what it did in session ${sessionId} before you try again`,
  });
  return { reason: what.reason, failure: what, record: null };
}
