import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import type { Attachment } from "../../src/protocol/attachment.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { newRunId, newSessionId, type RunId, type SessionId } from "../../src/protocol/ids.ts";
import type { RunComplete } from "../../src/protocol/run-event.ts";
import type { RunOptions } from "../../src/protocol/run-options.ts";
import { createDispatcher } from "../../src/session/create-dispatcher.ts";
import type { Dispatcher, DispatcherDeps } from "../../src/session/dispatcher.ts";
import type { PrepareTurn } from "../../src/session/prepare-turn.ts";
import type { Accepted } from "../../src/session/take-prompt.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { fakeModel, says, type FakeModel, type ModelStep } from "./fake-model.ts";
import { turnSetup } from "./turn-setup.ts";

/** One data directory in which processes come and go. Gone at the end of its scope. */
export interface DispatchHouse extends AsyncDisposable {
  readonly directory: string;
  /** Another owner: a store of its own, a dispatcher of its own. */
  move(wishes?: OwnerWishes): HouseOwner;
}

export interface OwnerWishes {
  /** Answers by prompt text; the rest get "ok". */
  readonly steps?: Readonly<Record<string, readonly ModelStep[]>>;
  readonly prepare?: PrepareTurn;
  readonly setup?: Partial<TurnSetup>;
  readonly limitBytes?: number;
  /** How long a write waits for another process. */
  readonly busyMs?: number;
  /** Stands between the dispatcher and its store. */
  readonly wrap?: (store: Store) => Store;
  readonly onEvent?: (event: WireEvent) => void;
  /** What the readiness of a prompt waits for; it does not hear of cancels meanwhile. */
  readonly hold?: (prompt: string) => Promise<void> | undefined;
  readonly soon?: DispatcherDeps["soon"];
  readonly shutdownMs?: number;
}

export interface Asked {
  readonly runId?: RunId | null;
  readonly options?: RunOptions;
  readonly bodyHash?: string;
  readonly attachments?: readonly Attachment[];
  readonly clientId?: string;
}

/** One process as far as dispatch goes. */
export interface HouseOwner {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly events: WireEvent[];
  readonly interrupted: RunId[];
  /** Every model call, by prompt. */
  readonly calls: string[];
  session(): SessionId;
  ask(sessionId: SessionId, prompt: string, asked?: Asked): Accepted & { readonly runId: RunId };
  /** The terminal events of a run, once there is one. */
  ended(runId: RunId): Promise<RunComplete>;
  terminals(runId?: RunId): RunComplete[];
  /** Resolves when an event fits; at once when one has. */
  seen(fits: (event: WireEvent) => boolean): Promise<void>;
  /** The process is killed: its lock is free, its rows stay. */
  die(): void;
}

export function dispatchHouse(): DispatchHouse {
  const directory = mkdtempSync(join(tmpdir(), "crush-dispatch-"));
  const owners: HouseOwner[] = [];
  return {
    directory,
    move: (wishes = {}) => {
      const owner = moveIn(directory, wishes);
      owners.push(owner);
      return owner;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { dispatcher, store } of owners) {
        await dispatcher.shutdown();
        store.close();
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function moveIn(directory: string, wishes: OwnerWishes): HouseOwner {
  const { limitBytes = null, busyMs } = wishes;
  const store = openStore(directory, { limitBytes, ...(busyMs === undefined ? {} : { busyMs }) });
  const events: WireEvent[] = [];
  const calls: string[] = [];
  const interrupted: RunId[] = [];
  const waiting = new Set<() => void>();
  const prompts = new Map<number, string>();
  const publish = (event: WireEvent): void => {
    events.push(event);
    wishes.onEvent?.(event);
    for (const wake of waiting) wake();
  };
  const modelFor = (prompt: string): FakeModel => {
    const model = fakeModel(...(wishes.steps?.[prompt] ?? [says("ok")]));
    const stream: FakeModel["stream"] = (call, signal) => {
      calls.push(prompt);
      return model.stream(call, signal);
    };
    return { ...model, stream };
  };
  const prepare: PrepareTurn = async ({ seq, options }) => {
    const prompt = prompts.get(seq) ?? "";
    await wishes.hold?.(prompt);
    const setup = turnSetup(modelFor(prompt));
    const { killAfterMs } = options;
    const limits = { ...setup.limits, ...(killAfterMs === undefined ? {} : { killAfterMs }) };
    return { ...setup, limits, ...wishes.setup };
  };
  const dispatcher = createDispatcher({
    store: wishes.wrap?.(store) ?? store,
    clock: systemClock,
    random: () => 0.5,
    prepareTurn: wishes.prepare ?? prepare,
    publish,
    onInterrupted: (runId) => interrupted.push(runId),
    ...(wishes.soon === undefined ? {} : { soon: wishes.soon }),
    ...(wishes.shutdownMs === undefined ? {} : { shutdownMs: wishes.shutdownMs }),
  });
  const terminals = (runId?: RunId): RunComplete[] =>
    events.filter(
      (event): event is RunComplete =>
        event.type === "run_complete" && (runId === undefined || event.runId === runId),
    );
  const seen = async (fits: (event: WireEvent) => boolean): Promise<void> => {
    const found = deferred();
    const look = (): void => {
      if (events.some(fits)) found.resolve();
    };
    waiting.add(look);
    look();
    await found.promise;
    waiting.delete(look);
  };
  return {
    store,
    dispatcher,
    events,
    calls,
    interrupted,
    terminals,
    seen,
    session: () => store.sessions.create({ id: newSessionId(), title: "t", now: 1 }).id,
    ask: (sessionId, prompt, asked = {}) => {
      const runId = asked.runId === undefined ? newRunId() : asked.runId;
      const accepted = dispatcher.accept({
        sessionId,
        runId,
        kind: "prompt",
        prompt,
        attachments: asked.attachments ?? [],
        clientId: asked.clientId ?? null,
        options: asked.options ?? {},
        bodyHash: asked.bodyHash ?? prompt,
      });
      prompts.set(accepted.seq, prompt);
      return { ...accepted, runId: runId ?? ("" as RunId) };
    },
    ended: async (runId) => {
      await seen((event) => event.type === "run_complete" && event.runId === runId);
      const [terminal] = terminals(runId);
      if (terminal === undefined) throw new Error("seen, and not there");
      return terminal;
    },
    die: () => store.close(),
  };
}
