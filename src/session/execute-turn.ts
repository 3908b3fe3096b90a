import { runTurn } from "../agent/turn.ts";
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
 * Rejects only when the store does.
 */
export async function executeTurn(
  deps: TurnDeps,
  setup: TurnSetup,
  prompt: StoredPrompt,
  scope: Scope,
  takeFollowUps: () => readonly Message[],
): Promise<RunOutcome> {
  const { store, clock } = deps;
  const { sessionId, runId, seq } = prompt;
  const seconds = (): number => Math.floor(clock.now() / 1000);
  const emit = (event: TurnEvent): void => deps.publish({ ...event, runId, sessionId });

  const asked = storeUserMessage(store, prompt, seq, clock.now());
  deps.publish({ type: "message", lifecycle: "created", runId, sessionId, message: asked });
  emit({ type: "run.started", model: setup.model.ref });

  using writer = messageWriter({
    store,
    clock,
    sessionId,
    turn: seq,
    model: setup.modelId,
    provider: setup.providerId,
    emit,
    onMessage: (lifecycle, message) =>
      deps.publish({ type: "message", lifecycle, runId, sessionId, message }),
    onFailure: (error) => scope.abort(new RunAborted("storage", failureOf(error))),
  });
  return await runTurn(
    setup,
    {
      sink: writer,
      emit,
      clock,
      random: deps.random,
      takeFollowUps,
      files: {
        lastSeen: (path) => store.readFiles.lastSeen(sessionId, path),
        record: (path, digest) => store.readFiles.record(sessionId, path, digest, seconds()),
      },
      onUsage: (usage, cost) => store.sessions.addUsage(sessionId, usage, cost, seconds()),
    },
    store.messages.listUpTo(sessionId, seq),
    scope.signal,
  );
}
