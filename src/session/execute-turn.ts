import { fromSummary } from "../agent/context.ts";
import { runTurn } from "../agent/run-turn.ts";
import type { TurnPorts } from "../agent/turn-ports.ts";
import type { TurnSetup } from "../agent/turn-setup.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import { failureOf } from "../protocol/failure-of.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import type { Message } from "../protocol/message.ts";
import type { TurnEvent } from "../protocol/run-event.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import type { Clock } from "../shared/clock.ts";
import type { Scope } from "../shared/scope.ts";
import type { StoredPrompt } from "../store/runs.ts";
import type { Store } from "../store/store.ts";
import { messageWriter } from "./message-writer.ts";
import { storeUserMessage } from "./user-message.ts";

export interface TurnDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly publish: (event: WireEvent) => void;
}

/**
 * Runs the turn of a prompt that holds its session's slot. Ends within `killAfter` of an abort, whatever the turn does.
 * Rejects only when the store does. `isAsked`: its user message is stored already.
 */
export async function executeTurn(
  deps: TurnDeps,
  setup: TurnSetup,
  prompt: StoredPrompt,
  scope: Scope,
  takeFollowUps: () => readonly Message[],
  isAsked: boolean,
): Promise<RunOutcome> {
  const { store, clock, publish } = deps;
  const { sessionId, runId, seq } = prompt;
  if (!isAsked) {
    const asked = storeUserMessage(store, prompt, seq, clock.now());
    publish({ type: "message", lifecycle: "created", runId, sessionId, message: asked });
  }
  publish({ type: "run.started", model: setup.model.ref, runId, sessionId });
  using ports = turnPorts(deps, setup, prompt, scope, takeFollowUps);
  return await runTurn(setup, ports, conversationOf(store, prompt), scope.signal);
}

/** What counts of the conversation when this prompt has its turn. */
export function conversationOf(
  store: Store,
  { sessionId, seq }: Pick<StoredPrompt, "sessionId" | "seq">,
): readonly Message[] {
  const summaryId = store.sessions.summaryOf(sessionId);
  return fromSummary(store.messages.listUpTo(sessionId, seq), summaryId);
}

/** Ties a turn to store and event stream. */
export function turnPorts(
  deps: TurnDeps,
  setup: TurnSetup,
  { sessionId, runId, seq }: StoredPrompt,
  scope: Scope,
  takeFollowUps: () => readonly Message[],
): TurnPorts & Disposable {
  const { store, clock, publish } = deps;
  const seconds = (): number => Math.floor(clock.now() / 1000);
  const emit = (event: TurnEvent): void => publish({ ...event, runId, sessionId });
  const writer = messageWriter({
    store,
    clock,
    sessionId,
    turn: seq,
    model: setup.modelId,
    provider: setup.providerId,
    emit,
    onMessage: (lifecycle, message) =>
      publish({ type: "message", lifecycle, runId, sessionId, message }),
    onFailure: (error) => scope.abort(new RunAborted("storage", failureOf(error))),
  });
  return {
    sink: writer,
    emit,
    clock,
    random: deps.random,
    takeFollowUps,
    files: {
      lastSeen: (path) => store.readFiles.lastSeen(sessionId, path),
      record: (path, digest) => store.readFiles.record(sessionId, path, digest, seconds()),
    },
    onKeyRefused: (providerId) =>
      publish({
        type: "agent_notification",
        kind: "re_authenticate",
        runId,
        sessionId,
        sessionTitle: store.sessions.title(sessionId) ?? "",
        providerId,
      }),
    onUsage: (usage, cost) => store.sessions.addUsage(sessionId, usage, cost, seconds()),
    [Symbol.dispose]: () => writer[Symbol.dispose](),
  };
}
