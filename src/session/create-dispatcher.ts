import { setMaxListeners } from "node:events";
import type { TurnSetup } from "../agent/turn-setup.ts";
import type { Cancel } from "../protocol/cancel.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { SessionId } from "../protocol/ids.ts";
import type { Message } from "../protocol/message.ts";
import { failureOf } from "../protocol/failure-of.ts";
import { limitsOf } from "../protocol/run-options.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import { orAborted } from "../shared/or-aborted.ts";
import { orLeftBehind } from "../shared/or-left-behind.ts";
import type { OpenPrompt, StoredPrompt } from "../store/runs.ts";
import { checkPrompt } from "./check-prompt.ts";
import { decide, type Command } from "./decide.ts";
import { makeDecisions } from "./decisions.ts";
import type { Dispatcher, DispatcherDeps } from "./dispatcher.ts";
import { executeSummary } from "./execute-summary.ts";
import { executeTurn } from "./execute-turn.ts";
import { localRun, type LocalRun } from "./local-run.ts";
import { abortFor, leftBehindOutcome, outcomeWithoutTurn } from "./outcome.ts";
import { loadState } from "./session-state.ts";
import { watchStore } from "./store-watch.ts";
import { take, unknownRun, type PromptRequest } from "./take-prompt.ts";
import { unstoredOutcomes } from "./unstored.ts";

const SHUTDOWN_MS = 15_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { store, clock, publish, shutdownMs = SHUTDOWN_MS } = deps;
  const lifetime = new AbortController();
  setMaxListeners(0, lifetime.signal); // as many as there are runs
  const local = new Map<number, LocalRun>();
  const tasks = new Set<Promise<void>>();
  const unstored = unstoredOutcomes();
  /** Runs of other processes that somebody here has attached to, with their sessions. */
  const attached = new Map<number, SessionId>();
  const decisions = makeDecisions({ deps, local, attached, unstored });
  const { dispatch, act, settle, flush, storeLate, announce } = decisions;
  let closing = false;

  const runPrompt = async (run: LocalRun): Promise<void> => {
    const { prompt, scope } = run;
    const { seq, sessionId } = prompt;
    try {
      run.setup = await prepare(run);
      dispatch(sessionId, { type: "ready", seq });
      const isAsked = run.started; // together with the slot
      if (!run.started) announceQueue(run);
      if ((await slotOf(run)) === "left") return;
      await settle(run, await execute(run, run.setup, isAsked), "after_turn");
    } catch (error) {
      const what = failureOf(scope.signal.aborted ? scope.signal.reason : error);
      if (!wasCancelled(run)) await settle(run, outcomeWithoutTurn(what), "before_turn");
    }
  };

  /** Whoever holds the slot has a turn, which says what an abort at this very moment means (PER-20). */
  const slotOf = async (run: LocalRun): Promise<"start" | "left"> =>
    run.started ? "start" : await orAborted(run.turn.promise, run.scope.signal);

  const execute = async (
    run: LocalRun,
    setup: TurnSetup,
    isAsked: boolean,
  ): Promise<RunOutcome> => {
    const { prompt, scope } = run;
    if (prompt.kind === "summary") return await executeSummary(deps, setup, prompt, scope);
    const follow = (): readonly Message[] => takeFollowUps(run);
    return await executeTurn(deps, setup, prompt, scope, follow, isAsked);
  };

  const prepare = async ({ prompt, scope }: LocalRun): Promise<TurnSetup> => {
    checkPrompt(prompt);
    const previous = store.messages.lastModel(prompt.sessionId);
    const setup = deps.prepareTurn({ ...prompt, previous }, scope.signal);
    return await orLeftBehind(setup, limitsOf(prompt.options).killAfterMs, scope.signal);
  };

  /** Prompts without a RunID that have come meanwhile join the turn (QUE-10). */
  const takeFollowUps = ({ prompt }: LocalRun): readonly Message[] => {
    const { sessionId, seq } = prompt;
    const mayJoin = ({ state, foldable, owner }: OpenPrompt): boolean =>
      state === "queued" && foldable && owner === store.ownerId;
    // Most steps find nothing: they must not take the write lock that everybody else waits for.
    if (!store.runs.open(sessionId).some(mayJoin)) return [];
    return dispatch(sessionId, { type: "drain", seq });
  };

  /** A cancel that came before the readiness failed is the outcome (CAN-26), and is settled as such. */
  const wasCancelled = (run: LocalRun): boolean => {
    const { seq, sessionId } = run.prompt;
    try {
      if (!run.left && run.setup === null) dispatch(sessionId, { type: "unready", seq });
    } catch {
      // A store that fails here fails the settlement as well, which says so.
    }
    return run.left;
  };

  const announceQueue = (run: LocalRun): void => {
    const { seq, sessionId, runId } = run.prompt;
    const ahead = store.runs.open(sessionId).filter((other) => other.seq < seq).length;
    if (ahead > 0 && !run.left) publish({ type: "run.queued", runId, sessionId, ahead });
  };

  const launch = (prompt: StoredPrompt): LocalRun => {
    const run = localRun(prompt, lifetime.signal);
    local.set(prompt.seq, run);
    // Not in the accepting call: the task must not overtake the answer to the accept.
    const task = Promise.resolve()
      .then(async () => await runPrompt(run))
      .finally(() => {
        run[Symbol.dispose]();
        local.delete(prompt.seq);
        tasks.delete(task);
      });
    tasks.add(task);
    return run;
  };

  const takeIn = (request: PromptRequest) => {
    checkPrompt(request);
    if (closing)
      throw new RunFailed(failure("by_shutdown", "workspace closing", { remedy: "try again" }));
    look(request.sessionId);
    const taken = store.transaction(() => take(store, request, clock.now()));
    watch.wake();
    return { ...taken, run: taken.prompt === null ? null : launch(taken.prompt) };
  };

  const look = (sessionId: SessionId): void => {
    unstored.retry(sessionId, storeLate); // it may hold the slot
    const before = loadState(store, sessionId);
    if (before.prompts.length === 0 && before.mark === null) return;
    const owners = new Set(before.prompts.map(({ owner }) => owner));
    const dead = new Set([...owners].filter((owner) => !store.isAlive(owner)));
    const command: Command = { type: "look", dead };
    // Most looks change nothing: they must not take the write lock that everybody else waits for.
    const [after, effects] = decide(before, command, store.ownerId);
    if (after !== before) dispatch(sessionId, command);
    else for (const effect of effects) act(effect);
  };

  const lookAround = (): void => {
    for (const sessionId of store.runs.openSessions()) {
      try {
        look(sessionId);
      } catch {
        // One that cannot be looked at keeps no other from its end.
      }
    }
  };

  const watch = watchStore({
    store,
    waiting: () => [
      ...[...local.values()].filter((run) => !run.left).map((run) => run.prompt.sessionId),
      ...attached.values(),
      ...unstored.sessions(),
    ],
    isStuck: unstored.holds,
    look,
    settledElsewhere: announceSettledElsewhere,
  });

  /** A prompt that another process has settled does not go on here, and whoever waits for it hears of it. */
  function announceSettledElsewhere(): void {
    const open = [...local].filter(([, run]) => !run.left).map(([seq]) => seq);
    for (const seq of [...open, ...attached.keys()]) {
      const outcome = store.runs.outcome(seq);
      if (outcome === null) continue;
      local.get(seq)?.scope.abort(abortFor(outcome.reason));
      announce(seq, outcome, "before_turn");
    }
  }

  /** Open prompts of a session by where they stand, once whoever died is interrupted instead. */
  const countOpen = (sessionId: SessionId): Record<OpenPrompt["state"], number> => {
    look(sessionId);
    const count = { active: 0, reserved: 0, queued: 0 };
    for (const { state } of store.runs.open(sessionId)) count[state] += 1;
    return count;
  };

  return {
    accept: (request) => {
      const { accepted, run } = takeIn(request);
      const { seq, state } = accepted;
      if (unstored.has(seq)) return { ...accepted, state: "settled" };
      if (run === null && state !== "settled" && !local.has(seq))
        attached.set(seq, request.sessionId);
      return accepted;
    },
    cancelSession: (sessionId, reason, by = null) => {
      const hit = countOpen(sessionId);
      const cancel: Cancel = { reason, by };
      if (hit.active + hit.reserved + hit.queued > 0)
        dispatch(sessionId, { type: "cancel", cancel });
      return hit;
    },
    clearQueue: (sessionId, by = null) => {
      const { queued } = countOpen(sessionId);
      if (queued > 0) dispatch(sessionId, { type: "clear", by });
      return queued;
    },
    cancelRun: (runId, reason, by = null) => {
      const prompt = store.runs.find(runId);
      if (prompt === null) throw unknownRun(runId);
      if (prompt.state !== "settled") look(prompt.sessionId);
      if (store.runs.outcome(prompt.seq) !== null || unstored.has(prompt.seq)) return false;
      const cancel: Cancel = { reason, by };
      dispatch(prompt.sessionId, { type: "cancel_one", seq: prompt.seq, cancel });
      return true;
    },
    summarize: async (sessionId, by = null) => {
      const request = {
        kind: "summary",
        sessionId,
        runId: null,
        prompt: "",
        attachments: [],
      } as const;
      const { run } = takeIn({ ...request, clientId: by, options: {}, bodyHash: "" });
      if (run === null) throw new Error("a summary cannot be attached to");
      const outcome = await run.outcome.promise;
      if (outcome.failure !== null) throw new RunFailed(outcome.failure);
      return outcome;
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
    recent: (limit) => {
      lookAround();
      return store.runs.recent(limit);
    },
    recover: lookAround,
    inFlight: () => tasks.size,
    idle: async () => {
      while (tasks.size > 0) await Promise.allSettled(tasks);
    },
    shutdown: async () => {
      closing = true;
      lifetime.abort(new RunAborted("by_shutdown"));
      await within(shutdownMs, Promise.allSettled(tasks));
      for (const run of local.values()) void settle(run, leftBehindOutcome(), "before_turn");
      flush();
      // The last chance: whoever looks later takes them for interrupted.
      for (const sessionId of unstored.sessions()) unstored.retry(sessionId, storeLate);
      watch[Symbol.dispose]();
    },
  };
}

async function within(ms: number, ended: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([ended, late]);
  clearTimeout(timer);
}
