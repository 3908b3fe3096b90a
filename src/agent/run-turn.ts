import { failureOf } from "../protocol/failure-of.ts";
import type { Message } from "../protocol/message.ts";
import { abortOf, RunAborted } from "../protocol/run-aborted.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import { orLeftBehind } from "../shared/or-left-behind.ts";
import { childScope } from "../shared/scope.ts";
import { watchIdle } from "./idle-watch.ts";
import type { Ended } from "./turn-endings.ts";
import { lastingPorts, type TurnPorts } from "./turn-ports.ts";
import type { TurnSetup } from "./turn-setup.ts";
import { Turn } from "./turn.ts";

/**
 * One turn: call the model, run its tools, repeat until it ends. `history` is what counts of the conversation and ends with the user
 * message of the turn.
 * Contract: never rejects, and ends within `killAfterMs` of an abort; whatever happens is the outcome. Every message that it opened is
 * finished or removed then, and every tool call has a result, unless the store fails.
 */
export async function runTurn(
  setup: TurnSetup,
  ports: TurnPorts,
  history: readonly Message[],
  parent: AbortSignal,
): Promise<RunOutcome> {
  const work = async (turn: Turn, signal: AbortSignal): Promise<Ended> => await turn.run(signal);
  return await toItsEnd(setup, ports, history, parent, work);
}

/** A turn that only has the conversation summarised, under the same contract. Nothing to summarise is a success. */
export async function runSummary(
  setup: TurnSetup,
  ports: TurnPorts,
  history: readonly Message[],
  parent: AbortSignal,
): Promise<RunOutcome> {
  const work = async (turn: Turn, signal: AbortSignal): Promise<Ended> =>
    await turn.summarizeOnly(signal);
  return await toItsEnd(setup, ports, history, parent, work);
}

async function toItsEnd(
  setup: TurnSetup,
  ports: TurnPorts,
  history: readonly Message[],
  parent: AbortSignal,
  work: (turn: Turn, signal: AbortSignal) => Promise<Ended>,
): Promise<RunOutcome> {
  const { clock } = ports;
  using scope = childScope(parent);
  using watch = watchIdle(
    setup.limits.idleTimeoutMs,
    () => clock.monotonic(),
    () => scope.abort(new RunAborted("idle_timeout")),
  );
  using lasting = lastingPorts(ports, watch.touch);
  const turn = new Turn(setup, lasting, history);
  try {
    const { killAfterMs } = setup.limits;
    const ended = await orLeftBehind(work(turn, scope.signal), killAfterMs, scope.signal);
    const abort = scope.signal.aborted ? abortOf(scope.signal.reason) : null;
    // A cancel after the last word changes nothing; a deadline does, however close it was.
    return turn.outcome(abort?.reason === "timeout" ? abort.failure : ended);
  } catch (error) {
    const what = scope.signal.aborted ? abortOf(scope.signal.reason).failure : failureOf(error);
    return turn.interrupted(what);
  }
}
