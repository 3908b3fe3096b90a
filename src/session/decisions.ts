import type { RunId, SessionId } from "../protocol/ids.ts";
import { failureOf } from "../protocol/failure-of.ts";
import type { Message } from "../protocol/message.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import type { StoredPrompt } from "../store/runs.ts";
import { persistCancelledTurn } from "./cancelled-turn.ts";
import { decide, type Command, type Effect } from "./decide.ts";
import type { DispatcherDeps } from "./dispatcher.ts";
import { endNews, type Departure } from "./end-news.ts";
import type { LocalRun } from "./local-run.ts";
import {
  abortFor,
  byWhom,
  cancelledOutcome,
  foldedOutcome,
  interruptedOutcome,
  lostOutcome,
} from "./outcome.ts";
import { loadState, saveState } from "./session-state.ts";
import type { Unstored } from "./unstored.ts";
import { storeUserMessage } from "./user-message.ts";

/** What the decisions of a process act on. */
export interface DecisionParts {
  readonly deps: DispatcherDeps;
  /** Prompts that this process accepted and has not settled, by sequence. */
  readonly local: ReadonlyMap<number, LocalRun>;
  /** Runs of other processes that somebody here has attached to, with their sessions. */
  readonly attached: Map<number, SessionId>;
  readonly unstored: Unstored;
}

/** The transactional half of the heart: decisions are stored first, then acted on, then told. */
export interface Decisions {
  /** One decision: load, decide and save in one transaction, then act. Returns the messages that it stored. */
  dispatch(sessionId: SessionId, command: Command): readonly Message[];
  /** Does what a decision that changes nothing in the store asks for. */
  act(effect: Effect): void;
  /**
   * The one way in which a prompt of ours ends with an outcome: stored, then told. Settlements that come together share one commit.
   * Resolves when it is told.
   */
  settle(run: LocalRun, outcome: RunOutcome, departure: Departure): Promise<void>;
  /** Settles at once what waits for that commit. */
  flush(): void;
  /** Stores an outcome that was told already, without its text if it must be. Throws what the store throws. */
  storeLate(prompt: StoredPrompt, told: RunOutcome): void;
  /** The one place where a terminal event leaves. */
  announce(seq: number, outcome: RunOutcome, departure: Departure): void;
}

interface Decided {
  readonly effects: readonly Effect[];
  readonly stored: readonly OfRun[];
}

/** A settlement that waits for its commit. */
interface Due {
  readonly run: LocalRun;
  readonly outcome: RunOutcome;
  readonly departure: Departure;
}

interface OfRun {
  readonly runId: RunId | null;
  readonly message: Message;
}

export function makeDecisions({ deps, local, attached, unstored }: DecisionParts): Decisions {
  const { store, clock, publish, soon = setImmediate } = deps;

  const dispatch = (sessionId: SessionId, command: Command): readonly Message[] =>
    commit(() => [decided(sessionId, command)], command.type);

  /** One transaction of decisions, then what they ask for. */
  const commit = (work: () => readonly Decided[], why: Command["type"]): readonly Message[] => {
    // A settlement survives a power cut; to have become ready need not.
    const made = (why === "ready" ? lightly(work) : null) ?? store.transaction(work, "full");
    const effects = made.flatMap((one) => one.effects);
    const stored = made.flatMap((one) => one.stored);
    // First what runs, then the news: a listener may call back, and must meet the state as it was decided.
    for (const effect of effects) act(effect);
    for (const { runId, message } of stored) {
      const { sessionId } = message;
      publish({ type: "message", lifecycle: "created", runId, sessionId, message });
    }
    for (const effect of effects) tell(effect);
    return stored.map(({ message }) => message);
  };

  /** Null, and nothing stored, when a prompt turns out to be settled by it. */
  const lightly = (work: () => readonly Decided[]): readonly Decided[] | null => {
    try {
      return store.transaction(() => {
        const made = work();
        if (made.some(({ effects }) => effects.some(({ type }) => type !== "start")))
          throw WANTS_MORE;
        return made;
      }, "normal");
    } catch (error) {
      if (error === WANTS_MORE) return null;
      throw error;
    }
  };

  /** Loads, decides and saves. Call inside a transaction. */
  const decided = (sessionId: SessionId, command: Command): Decided => {
    const before = loadState(store, sessionId);
    const [after, effects] = decide(before, command, store.ownerId);
    // Who leaves the slot leaves it first: no two rows may be active, not even for a moment.
    const stored = effects.flatMap((effect) =>
      // A prompt that need not wait is asked in the commit that gives it the slot.
      effect.type === "start" && command.type === "ready" && effect.seq === command.seq
        ? askInStore(effect.seq)
        : settleInStore(effect),
    );
    saveState(store, sessionId, before, after, clock.now());
    return { effects, stored };
  };

  const askInStore = (seq: number): readonly OfRun[] => {
    const prompt = local.get(seq)?.prompt;
    if (prompt === undefined || prompt.kind === "summary") return [];
    const message = storeUserMessage(store, prompt, seq, clock.now());
    return [{ runId: prompt.runId, message }];
  };

  const settleInStore = (effect: Effect): readonly OfRun[] => {
    const now = clock.now();
    const { seq } = effect;
    const runId = local.get(effect.type === "fold" ? effect.into : seq)?.prompt.runId ?? null;
    const ofRun = (message: Message): OfRun => ({ runId, message });
    switch (effect.type) {
      case "settle_interrupted":
        store.runs.settle(seq, interruptedOutcome(), now);
        return [];
      case "settle_cancelled": {
        const setup = local.get(seq)?.setup ?? null;
        store.runs.settle(seq, cancelledOutcome(effect.cancel), now);
        return effect.persist ? persistCancelledTurn(store, seq, setup, now).map(ofRun) : [];
      }
      case "fold": {
        const prompt = store.runs.get(seq);
        store.runs.settle(seq, foldedOutcome(), now);
        return prompt === null ? [] : [ofRun(storeUserMessage(store, prompt, effect.into, now))];
      }
      case "start":
      case "abort":
        return [];
    }
  };

  const act = (effect: Effect): void => {
    const run = local.get(effect.seq);
    if (run === undefined) return;
    if (effect.type === "start") {
      run.started = true;
      run.turn.resolve("start");
    }
    if (effect.type === "fold") leave(run, foldedOutcome());
    if (effect.type !== "abort") return;
    run.cancel ??= effect.cancel;
    run.scope.abort(abortFor(effect.cancel.reason));
  };

  const tell = (effect: Effect): void => {
    try {
      if (effect.type === "settle_cancelled")
        announce(
          effect.seq,
          cancelledOutcome(effect.cancel),
          effect.persist ? "after_turn" : "before_turn",
        );
      if (effect.type !== "settle_interrupted") return;
      announce(effect.seq, interruptedOutcome(), "after_turn");
      cleanUpAfter(effect.seq);
    } catch {
      // A prompt of another process that the store could not name: the next look at the store tells of it.
    }
  };

  const leave = (run: LocalRun, outcome: RunOutcome): void => {
    run.left = true;
    run.turn.resolve("left");
    run.outcome.resolve(outcome);
  };

  const announce = (seq: number, outcome: RunOutcome, departure: Departure): void => {
    const run = local.get(seq);
    if (run?.left === true) return;
    const prompt = run?.prompt ?? store.runs.get(seq);
    attached.delete(seq);
    if (run !== undefined) leave(run, outcome);
    if (prompt === null) return;
    for (const news of endNews(prompt, outcome, departure, () => titleOf(prompt))) publish(news);
  };

  /** It adorns the news: a store that cannot say it keeps no end from being told. */
  const titleOf = ({ sessionId }: StoredPrompt): string => {
    try {
      return store.sessions.title(sessionId) ?? "";
    } catch {
      return "";
    }
  };

  const cleanUpAfter = (seq: number): void => {
    const runId = store.runs.get(seq)?.runId ?? null;
    if (runId !== null) deps.onInterrupted(runId);
  };

  let due: Due[] = [];
  const settle = async (run: LocalRun, wanted: RunOutcome, departure: Departure): Promise<void> => {
    if (run.left) return;
    due.push({ run, outcome: byWhom(wanted, run.cancel), departure });
    if (due.length === 1) soon(flush);
    await run.outcome.promise;
  };

  const flush = (): void => {
    const batch = due.filter(({ run }) => !run.left);
    due = [];
    if (batch.length === 0) return;
    const told = storeOutcomes(batch);
    const isLost = !store.isInPlace();
    for (const [n, { run, departure }] of batch.entries()) {
      if (isLost) warnOfLoss(run.prompt);
      const outcome = told[n];
      if (outcome !== undefined) announce(run.prompt.seq, outcome, departure);
    }
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

  /** Frees the slot and hands off; returns the outcome that is to be told. Throws what the store throws. */
  const finish = (prompt: StoredPrompt, outcome: RunOutcome): RunOutcome => {
    let told = outcome;
    commit(() => {
      told = recorded(prompt.seq, outcome);
      return [decided(prompt.sessionId, { type: "finish", seq: prompt.seq })];
    }, "finish");
    return told;
  };

  /** Another process may have been faster (it believed us dead): what is recorded is what is told. */
  const recorded = (seq: number, outcome: RunOutcome): RunOutcome =>
    store.runs.settle(seq, outcome, clock.now()) ? outcome : (store.runs.outcome(seq) ?? outcome);

  const storeOutcomes = (batch: readonly Due[]): readonly RunOutcome[] => {
    const told: RunOutcome[] = [];
    try {
      commit(
        () =>
          batch.map(({ run: { prompt }, outcome }) => {
            told.push(recorded(prompt.seq, outcome));
            return decided(prompt.sessionId, { type: "finish", seq: prompt.seq });
          }),
        "finish",
      );
      return told;
    } catch {
      // One at a time, then: each has its own end, and one that cannot be stored is no other's fault.
      return batch.map(({ run, outcome }) => storeOutcome(run.prompt, outcome));
    }
  };

  const storeOutcome = (prompt: StoredPrompt, outcome: RunOutcome): RunOutcome => {
    try {
      return finish(prompt, outcome);
    } catch (error) {
      // The store would not take it: once more without the text, and in any case the waiter hears the truth.
      const told = lostOutcome(outcome, failureOf(error));
      try {
        finish(prompt, shortened(told));
      } catch {
        unstored.keep(prompt, told, clock.now());
      }
      return told;
    }
  };

  const storeLate = (prompt: StoredPrompt, told: RunOutcome): void => {
    try {
      finish(prompt, told);
    } catch {
      finish(prompt, shortened(told));
    }
  };

  return { dispatch, act, settle, flush, storeLate, announce };
}

/** Thrown to take a transaction back. One for all: it is nobody's failure, and its stack would cost each prompt. */
const WANTS_MORE = new Error("a settlement wants a safer commit than this");

const shortened = (outcome: RunOutcome): RunOutcome => ({
  ...outcome,
  text: "",
  denials: [],
  warnings: [],
});
