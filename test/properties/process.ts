import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { RunFailed, type Reason } from "../../src/protocol/ending.ts";
import { newRunId, type SessionId } from "../../src/protocol/ids.ts";
import type { RunState } from "../../src/protocol/run-record.ts";
import { textOf } from "../../src/protocol/message.ts";
import { limitsOf, type RunOptions } from "../../src/protocol/run-options.ts";
import { createDispatcher } from "../../src/session/create-dispatcher.ts";
import type { Dispatcher } from "../../src/session/dispatcher.ts";
import { deferred, type Deferred } from "../../src/shared/deferred.ts";
import type { Store } from "../../src/store/store.ts";
import { turnSetup } from "../support/turn-setup.ts";
import {
  becomeReady,
  endOf,
  modelOf,
  renewKey,
  toolOf,
  WINDOW,
  type Plan,
  type Stage,
} from "./plan.ts";
import type { Rejected, Tracked } from "./prompts.ts";
import type { Race } from "./race.ts";

/** One process of a schedule: a store of its own on the common disk, a real dispatcher, and an outside that is played. */
export interface Process {
  readonly name: string;
  /** As it is, without what stands between it and the dispatcher. */
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly events: readonly WireEvent[];
  /** Null when it was not taken. */
  ask(sessionId: SessionId, asked: Asked): Tracked | null;
  cancelSession(sessionId: SessionId, reason?: Reason): void;
  cancelRun(prompt: Tracked, reason?: Reason): void;
  clear(sessionId: SessionId): void;
  /** The same prompt once more: it attaches. */
  attach(prompt: Tracked): void;
  /** Has a conversation summarised; every way in which that may end is fine, if it ends. */
  summarize(sessionId: SessionId, plan: Plan): Promise<void>;
  /** Any other call; what it throws is what a client would be told. */
  call(what: (dispatcher: Dispatcher) => unknown): void;
  shutdown(): Promise<void>;
  /** It is killed: its lock is free, and what it still does reaches nobody. */
  die(): void;
  state: "lives" | "closing" | "closed" | "dead";
}

export interface Asked {
  readonly plan: Plan;
  /** Whether somebody waits for it. */
  readonly waitedFor: boolean;
  /** Only what is waited for can have them. */
  readonly options?: RunOptions;
}

export interface ProcessWishes {
  /** Stands between the dispatcher and its store. */
  readonly wrap?: (store: Store) => Store;
  /** A listener of the events; it may call back. */
  readonly onEvent?: (event: WireEvent, process: Process) => void;
  /** Some run of it may outlast the time that a shutdown waits. */
  readonly isStubborn?: boolean;
}

export interface Common {
  readonly race: Race;
  readonly prompts: Tracked[];
  readonly rejected: Rejected[];
  /** The dispatcher says no to what it cannot store; whether a cancel still came through is open then. */
  readonly storeMayFail: boolean;
  /** Puts what happens in order. */
  counted: number;
}

/** A model or tool that does not obey is left behind after this time; a prompt nobody waits for has no options, so ten seconds. */
const KILL_AFTER_MS = 400;
const LIMITS = { retryMaxWaitMs: 20, killAfterMs: KILL_AFTER_MS, idleTimeoutMs: 1_500 };

export function startProcess(
  name: string,
  store: Store,
  common: Common,
  wishes: ProcessWishes,
): Process {
  const { race, prompts, rejected, storeMayFail } = common;
  const events: WireEvent[] = [];
  const left = new Map<string, Deferred<void>>();
  const summaries = new Map<number, Pick<Tracked, "name" | "plan" | "process">>();
  const count = (): number => (common.counted += 1);
  const byName = (wanted: string): Tracked | undefined =>
    prompts.find((prompt) => prompt.name === wanted);
  const bySeq = (wanted: number): Tracked =>
    prompts.find(({ seq }) => seq === wanted) ?? fail(`nobody has accepted ${wanted}`);

  const stageOf = (prompt: string): Stage => ({
    name: prompt,
    turn: race.turn,
    over: left.get(prompt)?.promise ?? Promise.resolve(),
    decided: () => {
      const tracked = byName(prompt);
      if (tracked !== undefined) tracked.decided = true;
    },
    onCall: (call) => {
      const tracked = byName(prompt);
      if (tracked === undefined) return;
      tracked.startedAs ??= prompts.filter(({ startedAs }) => startedAs !== null).length;
      if (call !== null) tracked.calls.push([...call.messages]);
      if (self.state === "dead" || self.state === "closed") return;
      const active = store.runs.open(tracked.sessionId).filter(({ state }) => state === "active");
      if (active.map(({ seq }) => seq).join() !== String(tracked.seq))
        race.broken.push(`${prompt} runs, and the slot is that of ${JSON.stringify(active)}`);
    },
  });

  const publish = (event: WireEvent): void => {
    if (self.state === "dead") return;
    events.push(event);
    if (event.type === "message" && event.message.role === "user") {
      const asked = byName(textOf(event.message));
      if (asked !== undefined) asked.askedAt ??= count();
    }
    if (event.type === "run_complete") {
      const prompt = prompts.find(({ runId }) => runId !== null && runId === event.runId);
      if (prompt !== undefined)
        prompt.terminals.set(name, [...(prompt.terminals.get(name) ?? []), event]);
      if (prompt?.process === name) left.get(prompt.name)?.resolve();
    }
    wishes.onEvent?.(event, self);
  };

  const dispatcher = createDispatcher({
    store: wishes.wrap?.(store) ?? store,
    clock: race.time,
    random: () => 0.5,
    soon: (work) => {
      void (async () => {
        await race.turn(`${name} commits`);
        work();
      })();
    },
    prepareTurn: async ({ seq, options }, signal) => {
      const { name: prompt, plan, process } = summaries.get(seq) ?? bySeq(seq);
      if (process !== name) race.broken.push(`${prompt} of ${process} gets ready in ${name}`);
      const stage = stageOf(prompt);
      await becomeReady(plan, stage, signal);
      const model = modelOf(plan, stage);
      return turnSetup(model, {
        tools: [toolOf(plan, stage)],
        contextWindow: plan.fillsAt === undefined ? null : WINDOW,
        refreshModel: async (signalled) => await renewKey(plan, stage, model, signalled),
        limits: limitsOf({ ...LIMITS, ...options }),
      });
    },
    publish,
    onInterrupted: () => {},
  });

  const open = (sessionId: SessionId): Tracked[] => {
    const seqs = new Set(store.runs.open(sessionId).map(({ seq }) => seq));
    return prompts.filter(({ seq }) => seqs.has(seq));
  };

  /** Runs what a client asks for; what it covers is flagged, when it was done. */
  const cancelling = (
    covered: readonly Tracked[],
    reason: Reason,
    work: () => unknown,
    hits: (prompt: Tracked) => boolean = () => true,
  ): void => {
    const states = new Map(
      covered.map(({ seq, sessionId }) => [seq, stateOf(store, sessionId, seq)]),
    );
    let done = false;
    try {
      done = work() !== false;
    } catch (error) {
      if (!storeMayFail) race.broken.push(`a cancel was refused: ${String(error)}`);
      for (const prompt of covered) prompt.instead.add(reason);
    }
    if (!done) return;
    for (const prompt of covered) {
      if (prompt.flag !== null || !hits(prompt)) continue;
      prompt.flag = { reason, by: name };
      prompt.flaggedAt = count();
      prompt.callsAtFlag = prompt.calls.length;
      const [before, after] = [
        states.get(prompt.seq),
        stateOf(store, prompt.sessionId, prompt.seq),
      ];
      // The look that comes before the cancel may have given it the slot; what waits ends at once.
      prompt.stoodAtFlag = before === "queued" && after !== "settled" ? after : (before ?? null);
      // Its process hears of it at its next look at the store, and may have finished before.
      const isElsewhere = prompt.process !== name && states.get(prompt.seq) === "active";
      if (prompt.decided || isElsewhere) prompt.instead.add(endOf(prompt.plan));
    }
  };

  const self: Process = {
    name,
    store,
    dispatcher,
    events,
    state: "lives",
    ask: (sessionId, { plan, waitedFor, options = {} }) => {
      const prompt = `p${prompts.length + rejected.length + 1}`;
      const runId = waitedFor ? newRunId() : null;
      left.set(prompt, deferred());
      try {
        const { seq } = dispatcher.accept({
          kind: "prompt",
          sessionId,
          runId,
          prompt,
          attachments: [],
          clientId: name,
          options: runId === null ? {} : { killAfterMs: KILL_AFTER_MS, ...options },
          bodyHash: prompt,
        });
        const tracked: Tracked = {
          name: prompt,
          seq,
          runId,
          sessionId,
          process: name,
          plan,
          foldable: runId === null,
          askedAt: null,
          flag: null,
          flaggedAt: null,
          callsAtFlag: null,
          stoodAtFlag: null,
          instead: new Set(),
          decided: false,
          closing: false,
          isStubborn: wishes.isStubborn ?? false,
          startedAs: null,
          calls: [],
          terminals: new Map(),
        };
        prompts.push(tracked);
        return tracked;
      } catch (error) {
        rejected.push({ name: prompt, runId, error });
        return null;
      }
    },
    cancelSession: (sessionId, reason = "by_client") =>
      cancelling(open(sessionId), reason, () => dispatcher.cancelSession(sessionId, reason, name)),
    cancelRun: (prompt, reason = "by_client") => {
      const { runId, sessionId, seq } = prompt;
      if (runId === null) return;
      const covered = open(sessionId).filter((one) => one.seq === seq);
      cancelling(covered, reason, () => dispatcher.cancelRun(runId, reason, name));
    },
    clear: (sessionId) => {
      const queued = new Set(dispatcher.queued(sessionId).map(({ seq }) => seq));
      const covered = prompts.filter(({ seq }) => queued.has(seq));
      const isGone = ({ seq }: Tracked): boolean => stateOf(store, sessionId, seq) === "settled";
      cancelling(covered, "by_client", () => dispatcher.clearQueue(sessionId, name), isGone);
      if (!storeMayFail && dispatcher.queued(sessionId).length > 0)
        race.broken.push("the queue was cleared, and is not empty");
    },
    attach: ({ runId, sessionId, name: prompt }) => {
      if (runId === null) return;
      self.call(() =>
        dispatcher.accept({
          kind: "prompt",
          sessionId,
          runId,
          prompt,
          attachments: [],
          clientId: name,
          options: { killAfterMs: KILL_AFTER_MS },
          bodyHash: prompt,
        }),
      );
    },
    summarize: async (sessionId, plan) => {
      try {
        const ending = dispatcher.summarize(sessionId, name);
        const [taken] = store.runs.open(sessionId);
        if (taken !== undefined)
          summaries.set(taken.seq, { name: `summary ${taken.seq}`, plan, process: name });
        await ending;
      } catch (error) {
        if (!(error instanceof RunFailed)) race.broken.push(`a summary threw ${String(error)}`);
      }
    },
    call: (what) => {
      try {
        void what(dispatcher);
      } catch (error) {
        if (!storeMayFail && self.state === "lives")
          race.broken.push(`${name} refused a call: ${String(error)}`);
      }
    },
    shutdown: async () => {
      self.state = "closing";
      const mine = new Set(store.runs.openSessions().flatMap(open));
      for (const prompt of mine) {
        if (prompt.process !== name) continue;
        prompt.closing = true;
        if (prompt.decided) prompt.instead.add(endOf(prompt.plan));
      }
      await dispatcher.shutdown();
      const tasks = dispatcher.inFlight();
      if (tasks > 0 && !wishes.isStubborn)
        race.broken.push(`${name} is closed, ${tasks} tasks go on`);
      const lost = store.runs.openSessions().flatMap((id) => store.runs.open(id));
      if (!storeMayFail && lost.some(({ owner }) => owner === store.ownerId))
        race.broken.push(`${name} leaves open: ${JSON.stringify(lost)}`);
      self.state = "closed";
      store.close();
    },
    die: () => {
      self.state = "dead";
      store.close();
      // What it still does in this thread must come to an end; its store is closed and nobody hears it.
      void dispatcher.shutdown();
      for (const over of left.values()) over.resolve();
    },
  };
  return self;
}

const stateOf = (store: Store, sessionId: SessionId, seq: number): RunState =>
  store.runs.open(sessionId).find((one) => one.seq === seq)?.state ?? "settled";

function fail(what: string): never {
  throw new Error(what);
}
