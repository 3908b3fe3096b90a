import type { TurnSetup } from "../agent/turn-setup.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { SessionId } from "../protocol/ids.ts";
import { failureOf } from "../protocol/failure-of.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { limitsOf } from "../protocol/run-options.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import { deferred, type Deferred } from "../shared/deferred.ts";
import { orAborted } from "../shared/or-aborted.ts";
import { orLeftBehind } from "../shared/or-left-behind.ts";
import { childScope, type Scope } from "../shared/scope.ts";
import type { StoredPrompt } from "../store/runs.ts";
import { persistCancelledTurn } from "./cancelled-turn.ts";
import type { Dispatcher, DispatcherDeps } from "./dispatcher.ts";
import { decide, type Command, type Effect } from "./decide.ts";
import { executeTurn } from "./execute-turn.ts";
import {
  cancelledOutcome,
  cancelReason,
  interruptedOutcome,
  isCancel,
  lostOutcome,
  outcomeWithoutTurn,
} from "./outcome.ts";
import { loadState, saveState } from "./session-state.ts";
import { watchStore } from "./store-watch.ts";
import { take, unknownRun } from "./take-prompt.ts";
import { unstoredOutcomes } from "./unstored.ts";

/** One prompt that this process accepted and has not settled. */
interface LocalRun {
  readonly prompt: StoredPrompt;
  readonly scope: Scope;
  /** Resolves when the prompt holds the slot, or was settled without it. */
  readonly turn: Deferred<"start" | "settled">;
  /** Null until it is ready. */
  setup: TurnSetup | null;
  settled: boolean;
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { store, clock, publish } = deps;
  const lifetime = new AbortController();
  const local = new Map<number, LocalRun>();
  const tasks = new Set<Promise<void>>();
  const unstored = unstoredOutcomes();
  /** Runs of other processes that somebody here has attached to, with their sessions. */
  const attached = new Map<number, SessionId>();
  let closing = false;

  /** One decision: load, decide and save in one transaction, then act. */
  const dispatch = (sessionId: SessionId, command: Command, also: () => void = () => {}): void => {
    const effects = store.transaction(
      () => {
        also();
        const before = loadState(store, sessionId);
        const [after, wanted] = decide(before, command, store.ownerId);
        // Who leaves the slot leaves it first: no two rows may be active, not even for a moment.
        for (const effect of wanted) settleInStore(effect);
        saveState(store, sessionId, before, after, clock.now());
        return wanted;
      },
      // A settlement survives a power cut; to have become ready need not.
      command.type === "ready" ? "normal" : "full",
    );
    // First what runs, then the news: a listener may call back, and must meet the state as it was decided.
    for (const effect of effects) act(effect);
    for (const effect of effects) tell(effect);
  };

  const settleInStore = (effect: Effect): void => {
    const now = clock.now();
    if (effect.type === "settle_interrupted")
      store.runs.settle(effect.seq, interruptedOutcome(), now);
    if (effect.type !== "settle_cancelled") return;
    if (effect.persist)
      persistCancelledTurn(store, effect.seq, local.get(effect.seq)?.setup ?? null, now);
    store.runs.settle(effect.seq, cancelledOutcome(effect.reason), now);
  };

  const act = (effect: Effect): void => {
    const run = local.get(effect.seq);
    if (effect.type === "start") run?.turn.resolve("start");
    if (effect.type === "abort") run?.scope.abort(new RunAborted(cancelReason(effect.reason)));
  };

  const tell = (effect: Effect): void => {
    if (effect.type === "settle_cancelled")
      announce(effect.seq, cancelledOutcome(effect.reason), effect.persist);
    if (effect.type !== "settle_interrupted") return;
    announce(effect.seq, interruptedOutcome(), true);
    cleanUpAfter(effect.seq);
  };

  /**
   * The one place where a terminal event leaves. A prompt that nobody waits for has one only for a turn of its own
   * (RUN-17, ERR-5).
   */
  const announce = (seq: number, outcome: RunOutcome, hadTurn: boolean): void => {
    const run = local.get(seq);
    if (run?.settled === true) return;
    attached.delete(seq);
    if (run !== undefined) {
      run.settled = true;
      run.turn.resolve("settled");
    }
    const prompt = run?.prompt ?? store.runs.get(seq);
    if (prompt === null) return;
    const { runId, sessionId } = prompt;
    const { failure: what, text, messageId, reason } = outcome;
    const cancelled = isCancel(reason);
    if (runId !== null || hadTurn)
      publish({
        type: "run_complete",
        runId,
        sessionId,
        messageId,
        text,
        cancelled,
        failure: what,
      });
    if (what !== null && !cancelled)
      publish({ type: "agent_error", runId, sessionId, error: what.message });
  };

  const cleanUpAfter = (seq: number): void => {
    const runId = store.runs.get(seq)?.runId ?? null;
    if (runId !== null) deps.onInterrupted(runId);
  };

  const settle = (run: LocalRun, outcome: RunOutcome, hadTurn: boolean): void => {
    if (run.settled) return;
    const told = storeOutcome(run.prompt, outcome);
    if (!store.isInPlace()) warnOfLoss(run.prompt);
    announce(run.prompt.seq, told, hadTurn);
  };

  /** The outcome is true, but nobody will be able to ask for it. */
  const warnOfLoss = ({ runId, sessionId }: StoredPrompt): void =>
    publish({
      type: "warning",
      runId,
      sessionId,
      code: "record_lost",
      message: "the data directory was removed while the run went on: its record is lost",
    });

  /** Frees the slot and hands off; returns the outcome that is to be told. */
  const finish = ({ seq, sessionId }: StoredPrompt, outcome: RunOutcome): RunOutcome => {
    let told = outcome;
    dispatch(sessionId, { type: "finish", seq }, () => {
      const first = store.runs.settle(seq, outcome, clock.now());
      // Another process was faster (it believed us dead): what is recorded is what is told.
      if (!first) told = store.runs.outcome(seq) ?? outcome;
    });
    return told;
  };

  const storeOutcome = (prompt: StoredPrompt, outcome: RunOutcome): RunOutcome => {
    try {
      return finish(prompt, outcome);
    } catch (error) {
      // The store would not take it: once more without the text, and in any case the waiter hears the truth.
      const told = lostOutcome(outcome, failureOf(error));
      try {
        finish(prompt, { ...told, text: "", denials: [], warnings: [] });
      } catch {
        unstored.keep(prompt, told, clock.now());
      }
      return told;
    }
  };

  const runPrompt = async (run: LocalRun): Promise<void> => {
    const { prompt, scope } = run;
    const { seq, sessionId } = prompt;
    try {
      const setup = await prepare(run);
      run.setup = setup;
      dispatch(sessionId, { type: "ready", seq });
      announceQueue(run);
      if ((await orAborted(run.turn.promise, scope.signal)) === "settled") return;
      settle(run, await executeTurn(deps, setup, prompt, scope), true);
    } catch (error) {
      const what = failureOf(scope.signal.aborted ? scope.signal.reason : error);
      if (!wasCancelled(run)) settle(run, outcomeWithoutTurn(what), false);
    }
  };

  const prepare = async ({ prompt, scope }: LocalRun): Promise<TurnSetup> => {
    const previous = store.messages.lastModel(prompt.sessionId);
    const setup = deps.prepareTurn({ ...prompt, previous }, scope.signal);
    return await orLeftBehind(setup, limitsOf(prompt.options).killAfterMs, scope.signal);
  };

  /** A cancel that came before the readiness failed is the outcome (CAN-26), and is settled as such. */
  const wasCancelled = (run: LocalRun): boolean => {
    const { seq, sessionId } = run.prompt;
    try {
      if (!run.settled && run.setup === null) dispatch(sessionId, { type: "unready", seq });
    } catch {
      // A store that fails here fails the settlement as well, which says so.
    }
    return run.settled;
  };

  const announceQueue = (run: LocalRun): void => {
    const { seq, sessionId, runId } = run.prompt;
    const ahead = store.runs.open(sessionId).filter((other) => other.seq < seq).length;
    if (ahead > 0 && !run.settled) publish({ type: "run.queued", runId, sessionId, ahead });
  };

  const launch = (prompt: StoredPrompt): void => {
    const scope = childScope(lifetime.signal);
    const run: LocalRun = { prompt, scope, turn: deferred(), setup: null, settled: false };
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
    unstored.retry(sessionId, finish); // it may hold the slot
    const owners = new Set(store.runs.open(sessionId).map(({ owner }) => owner));
    const dead = new Set([...owners].filter((owner) => !store.isAlive(owner)));
    const command: Command = { type: "look", dead };
    // Most looks change nothing: they must not take the write lock that everybody else waits for.
    const before = loadState(store, sessionId);
    const [after, effects] = decide(before, command, store.ownerId);
    if (after !== before) dispatch(sessionId, command);
    else for (const effect of effects) act(effect);
  };

  const watch = watchStore({
    store,
    waiting: () => [
      ...[...local.values()].filter((run) => !run.settled).map((run) => run.prompt.sessionId),
      ...attached.values(),
    ],
    isStuck: unstored.holds,
    look,
    settledElsewhere: announceSettledElsewhere,
  });

  /** A prompt that another process has settled does not go on here, and whoever waits for it hears of it. */
  function announceSettledElsewhere(): void {
    const open = [...local].filter(([, run]) => !run.settled).map(([seq]) => seq);
    for (const seq of [...open, ...attached.keys()]) {
      const outcome = store.runs.outcome(seq);
      if (outcome === null) continue;
      local.get(seq)?.scope.abort(new RunAborted(cancelReason(outcome.reason)));
      announce(seq, outcome, false);
    }
  }

  return {
    accept: (request) => {
      if (closing)
        throw new RunFailed(failure("by_shutdown", "workspace closing", { remedy: "try again" }));
      look(request.sessionId);
      const { accepted, prompt } = store.transaction(() => take(store, request, clock.now()));
      const { seq, state } = accepted;
      if (unstored.has(seq)) return { ...accepted, state: "settled" };
      if (prompt !== null) launch(prompt);
      else if (state !== "settled" && !local.has(seq)) attached.set(seq, request.sessionId);
      watch.wake();
      return accepted;
    },
    cancelSession: (sessionId, reason) => {
      look(sessionId); // whoever died is interrupted, not cancelled
      const open = store.runs.open(sessionId).length;
      if (open > 0) dispatch(sessionId, { type: "cancel", reason });
      return open;
    },
    clearQueue: (sessionId) => {
      look(sessionId);
      const waiting = store.runs.open(sessionId).filter(({ state }) => state === "queued").length;
      if (waiting > 0) dispatch(sessionId, { type: "clear" });
      return waiting;
    },
    cancelRun: (runId, reason) => {
      const prompt = store.runs.find(runId);
      if (prompt === null) throw unknownRun(runId);
      if (prompt.state !== "settled") look(prompt.sessionId);
      if (store.runs.outcome(prompt.seq) !== null || unstored.has(prompt.seq)) return false;
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
      const late = unstored.record(runId);
      if (late !== null) return late;
      const stored = store.runs.record(runId);
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
