import type { TurnSetup } from "../agent/turn-setup.ts";
import { failure, RunFailed, type Reason } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { limitsOf } from "../protocol/run-options.ts";
import type { RunOutcome, RunRecord } from "../protocol/run-record.ts";
import type { Clock } from "../shared/clock.ts";
import { deferred, type Deferred } from "../shared/deferred.ts";
import { orAborted } from "../shared/or-aborted.ts";
import { childScope, type Scope } from "../shared/scope.ts";
import type { StoredPrompt } from "../store/runs.ts";
import type { Store } from "../store/store.ts";
import { persistCancelledTurn } from "./cancelled-turn.ts";
import { decide, type Command, type Effect } from "./decide.ts";
import { executeTurn } from "./execute-turn.ts";
import {
  cancelledOutcome,
  failureOf,
  interruptedOutcome,
  isCancel,
  outcomeWithoutTurn,
} from "./outcome.ts";
import { settledRecord } from "./settled-record.ts";
import { loadState, saveState } from "./session-state.ts";
import { watchStore } from "./store-watch.ts";
import { take, unknownRun, type Accepted, type PromptRequest } from "./take-prompt.ts";

export interface PrepareRequest extends Pick<StoredPrompt, "sessionId" | "runId" | "options"> {
  /** Who wrote the session's last answer: what a prompt without a model of its own goes on with. */
  readonly previous: { readonly provider: string; readonly model: string } | null;
}

export type PrepareTurn = (request: PrepareRequest, signal: AbortSignal) => Promise<TurnSetup>;

export interface DispatcherDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  /** Readiness of one prompt: model, tools, system prompt. Rejects with `RunFailed`. */
  readonly prepareTurn: PrepareTurn;
  readonly publish: (event: WireEvent) => void;
  /** A process died in this run: end what it left behind. Must not throw. */
  readonly onInterrupted: (runId: RunId) => void;
}

/** Accepts prompts, runs them one at a time per session, and settles each exactly once. */
export interface Dispatcher {
  /** Synchronous: the prompt is stored when it returns. Throws `RunFailed` for a prompt that is not taken. */
  accept(request: PromptRequest): Accepted;
  /** Ends every open prompt of the session that was accepted before; how many that were. */
  cancelSession(sessionId: SessionId, reason: Reason): number;
  /** False when the run was settled already; throws `unknown_run`. */
  cancelRun(runId: RunId, reason: Reason): boolean;
  isBusy(sessionId: SessionId): boolean;
  /** Prompts that wait behind the active one. */
  queued(sessionId: SessionId): readonly StoredPrompt[];
  record(runId: RunId): RunRecord | null;
  /** No new prompts; open ones of this process are cancelled and waited for. Bounded by their `killAfter`. */
  shutdown(): Promise<void>;
}

/** One prompt that this process accepted and has not settled. */
interface LocalRun {
  readonly prompt: StoredPrompt;
  readonly scope: Scope;
  /** Resolves when the prompt holds the slot, or was settled without it. */
  readonly turn: Deferred<"start" | "settled">;
  settled: boolean;
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { store, clock, publish } = deps;
  const lifetime = new AbortController();
  const local = new Map<number, LocalRun>();
  const tasks = new Set<Promise<void>>();
  /** Outcomes that the store would not take. */
  const unstored = new Map<RunId, RunRecord>();
  let closing = false;

  /** One decision: load, decide and save in one transaction, then act. */
  const dispatch = (sessionId: SessionId, command: Command, also: () => void = () => {}): void => {
    const effects = store.transaction(
      () => {
        also();
        const before = loadState(store, sessionId);
        const [after, wanted] = decide(before, command, store.ownerId);
        saveState(store, sessionId, before, after, clock.now());
        for (const effect of wanted) settleInStore(effect);
        return wanted;
      },
      // A settlement survives a power cut; to have become ready need not.
      command.type === "ready" ? "normal" : "full",
    );
    for (const effect of effects) perform(effect);
  };

  const settleInStore = (effect: Effect): void => {
    const now = clock.now();
    if (effect.type === "settle_interrupted")
      store.runs.settle(effect.seq, interruptedOutcome(), now);
    if (effect.type !== "settle_cancelled") return;
    if (effect.persist) persistCancelledTurn(store, effect.seq, Math.floor(now / 1000));
    store.runs.settle(effect.seq, cancelledOutcome(effect.reason), now);
  };

  const perform = (effect: Effect): void => {
    const run = local.get(effect.seq);
    switch (effect.type) {
      case "start":
        run?.turn.resolve("start");
        return;
      case "abort":
        run?.scope.abort(
          new RunAborted(effect.reason === "end_turn" ? "by_client" : effect.reason),
        );
        return;
      case "settle_cancelled":
        announce(effect.seq, cancelledOutcome(effect.reason));
        return;
      case "settle_interrupted":
        announce(effect.seq, interruptedOutcome());
        cleanUpAfter(effect.seq);
        return;
    }
  };

  /** The one place where a terminal event leaves. */
  const announce = (seq: number, outcome: RunOutcome): void => {
    const run = local.get(seq);
    if (run?.settled === true) return;
    if (run !== undefined) {
      run.settled = true;
      run.turn.resolve("settled");
    }
    const prompt = run?.prompt ?? store.runs.get(seq);
    if (prompt === null) return;
    const { runId, sessionId } = prompt;
    const { failure: what, text, messageId, reason } = outcome;
    const cancelled = isCancel(reason);
    publish({ type: "run_complete", runId, sessionId, messageId, text, cancelled, failure: what });
    if (what !== null && !cancelled)
      publish({ type: "agent_error", runId, sessionId, error: what.message });
  };

  const cleanUpAfter = (seq: number): void => {
    const runId = store.runs.get(seq)?.runId ?? null;
    if (runId !== null) deps.onInterrupted(runId);
  };

  const settle = (run: LocalRun, outcome: RunOutcome): void => {
    if (run.settled) return;
    const { seq, sessionId, runId } = run.prompt;
    const finish = (what: RunOutcome): void =>
      dispatch(sessionId, { type: "finish", seq }, () => {
        store.runs.settle(seq, what, clock.now());
      });
    let told = outcome;
    try {
      finish(outcome);
    } catch (error) {
      // The store would not take it: once more without the text, and in any case the waiter hears the truth.
      told = {
        ...outcome,
        reason: "storage",
        failure: failureOf(error),
        partial: outcome.text !== "",
      };
      try {
        finish({ ...told, text: "", denials: [], warnings: [] });
      } catch {
        if (runId !== null) unstored.set(runId, settledRecord(run.prompt, told, clock.now()));
      }
    }
    announce(seq, told);
  };

  const runPrompt = async (run: LocalRun): Promise<void> => {
    const { prompt, scope } = run;
    const { seq, sessionId } = prompt;
    try {
      const previous = store.messages.lastModel(sessionId);
      const setup = await deps.prepareTurn({ ...prompt, previous }, scope.signal);
      dispatch(sessionId, { type: "ready", seq });
      announceQueue(run);
      if ((await orAborted(run.turn.promise, scope.signal)) === "settled") return;
      settle(run, await executeTurn(deps, setup, prompt, scope));
    } catch (error) {
      if (run.settled) return;
      const what = scope.signal.aborted ? failureOf(scope.signal.reason) : failureOf(error);
      settle(run, outcomeWithoutTurn(what));
    }
  };

  const announceQueue = (run: LocalRun): void => {
    const { seq, sessionId, runId } = run.prompt;
    const ahead = store.runs.open(sessionId).filter((other) => other.seq < seq).length;
    if (ahead > 0 && !run.settled) publish({ type: "run.queued", runId, sessionId, ahead });
  };

  const launch = (prompt: StoredPrompt): void => {
    const scope = childScope(lifetime.signal);
    const run: LocalRun = { prompt, scope, turn: deferred(), settled: false };
    local.set(prompt.seq, run);
    const { timeoutMs } = limitsOf(prompt.options);
    const timer =
      timeoutMs === null
        ? undefined
        : setTimeout(() => scope.abort(new RunAborted("timeout")), timeoutMs);
    // Not in the accepting call: the task must not overtake the answer to the accept.
    const task = Promise.resolve()
      .then(async () => await runPrompt(run))
      .finally(() => {
        clearTimeout(timer);
        scope[Symbol.dispose]();
        local.delete(prompt.seq);
        tasks.delete(task);
      });
    tasks.add(task);
  };

  const look = (sessionId: SessionId): void => {
    const owners = new Set(store.runs.open(sessionId).map(({ owner }) => owner));
    const dead = new Set([...owners].filter((owner) => !store.isAlive(owner)));
    const command: Command = { type: "look", dead };
    // Most looks find nothing: they must not take the write lock that everybody else waits for.
    const [, effects] = decide(loadState(store, sessionId), command, store.ownerId);
    if (effects.length > 0) dispatch(sessionId, command);
  };

  const watch = watchStore({
    store,
    waiting: () =>
      [...local.values()].filter((run) => !run.settled).map((run) => run.prompt.sessionId),
    look,
    settledElsewhere: announceSettledElsewhere,
  });

  /** A local prompt that another process has settled (it believed us dead) must not go on. */
  function announceSettledElsewhere(): void {
    for (const run of local.values()) {
      const { runId, seq } = run.prompt;
      if (run.settled || store.runs.get(seq)?.state !== "settled") continue;
      const outcome = runId === null ? null : store.runs.record(runId)?.outcome;
      run.scope.abort(new RunAborted("by_client"));
      announce(seq, outcome ?? interruptedOutcome());
    }
  }

  return {
    accept: (request) => {
      if (closing)
        throw new RunFailed(failure("by_shutdown", "workspace closing", { remedy: "try again" }));
      look(request.sessionId);
      const { accepted, prompt } = store.transaction(() => take(store, request, clock.now()));
      if (prompt !== null) {
        launch(prompt);
        watch.wake();
      }
      return accepted;
    },
    cancelSession: (sessionId, reason) => {
      const open = store.runs.open(sessionId).length;
      if (open > 0) dispatch(sessionId, { type: "cancel", reason });
      return open;
    },
    cancelRun: (runId, reason) => {
      const prompt = store.runs.find(runId);
      if (prompt === null) throw unknownRun(runId);
      if (prompt.state === "settled") return false;
      dispatch(prompt.sessionId, { type: "cancel_one", seq: prompt.seq, reason });
      return true;
    },
    isBusy: (sessionId) => store.runs.open(sessionId).some(({ state }) => state === "active"),
    queued: (sessionId) =>
      store.runs
        .open(sessionId)
        .filter(({ state }) => state === "queued")
        .flatMap(({ seq }) => store.runs.get(seq) ?? []),
    record: (runId) => {
      const stored = unstored.get(runId) ?? store.runs.record(runId);
      if (stored === null || stored.state === "settled") return stored;
      look(stored.sessionId); // its process may have died
      return store.runs.record(runId);
    },
    shutdown: async () => {
      closing = true;
      lifetime.abort(new RunAborted("by_shutdown"));
      await Promise.allSettled(tasks);
      watch[Symbol.dispose]();
    },
  };
}
