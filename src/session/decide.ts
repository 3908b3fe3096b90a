import type { Cancel } from "../protocol/cancel.ts";
import { assertNever } from "../shared/assert-never.ts";

/**
 * The dispatch of one session as a pure function. Invariants:
 *  I1  at most one prompt of a session is active, and it is the earliest accepted one that is still open;
 *  I2  a cancel ends exactly the open prompts accepted before it, whatever order they arrive in afterwards;
 *  I3  every open prompt leaves by exactly one `settle` or `fold` effect or by `finish` of its own run;
 *  I4  a process starts and folds only prompts that it accepted itself.
 */
export interface SessionState {
  /** Open prompts in order of acceptance. */
  readonly prompts: readonly PromptEntry[];
  /** Highest accept sequence that a cancel has covered while prompts were open; null when there is none. */
  readonly mark: Mark | null;
}

export interface Mark extends Cancel {
  readonly upTo: number;
}

export interface PromptEntry {
  /** Accept sequence: later acceptance, higher number. */
  readonly seq: number;
  readonly owner: string;
  /** `reserved`: accepted, not yet ready to run; `queued`: waits for its turn; `active`: holds the slot. */
  readonly phase: "reserved" | "queued" | "active";
  /** A cancel of this one prompt. */
  readonly cancel: Cancel | null;
  /** It may join the running turn: nobody waits for it, and it asks for nothing of its own. */
  readonly foldable: boolean;
}

/** Accepting is no command: a prompt enters the state, reserved, when its row is stored with the next sequence. */
export type Command =
  /** An accepted prompt of ours is ready to run: the dispatch decision. */
  | { readonly type: "ready"; readonly seq: number }
  /** An accepted prompt of ours will never be ready; a cancel that came before is its outcome (CAN-26). */
  | { readonly type: "unready"; readonly seq: number }
  /** Everything accepted so far shall end. */
  | { readonly type: "cancel"; readonly cancel: Cancel }
  | { readonly type: "cancel_one"; readonly seq: number; readonly cancel: Cancel }
  /** What waits shall not run; the active prompt, those not yet ready and the mark stay as they are (QUE-18). */
  | { readonly type: "clear"; readonly by: string | null }
  /** The active prompt of ours is about to call the model: what may join its turn joins it. */
  | { readonly type: "drain"; readonly seq: number }
  /** A prompt of ours has its outcome (the slot, if it held it, is free). */
  | { readonly type: "finish"; readonly seq: number }
  /** Another process may have changed something, or died. */
  | { readonly type: "look"; readonly dead: ReadonlySet<string> };

export type Effect =
  | { readonly type: "start"; readonly seq: number }
  | { readonly type: "abort"; readonly seq: number; readonly cancel: Cancel }
  /** It becomes part of the turn of the prompt that drained, and is a run no more. */
  | { readonly type: "fold"; readonly seq: number; readonly into: number }
  /** Cancelled before it ran. `persist`: it had reached its turn, so the history shows it (PER-4). */
  | {
      readonly type: "settle_cancelled";
      readonly seq: number;
      readonly cancel: Cancel;
      readonly persist: boolean;
    }
  /** The process that owned it is gone. */
  | { readonly type: "settle_interrupted"; readonly seq: number };

type Decision = readonly [SessionState, readonly Effect[]];

/** One command of the process `me`; the next state and what is to be done. No clock, no I/O, no await. */
export function decide(state: SessionState, command: Command, me: string): Decision {
  const [next, effects] = apply(state, command, me);
  const [advanced, started] = advance(next, me);
  return [withoutStaleMark(advanced), [...effects, ...started]];
}

function apply(state: SessionState, command: Command, me: string): Decision {
  switch (command.type) {
    case "ready":
    case "unready": {
      const prompt = find(state, command.seq);
      if (prompt?.phase !== "reserved") return [state, []];
      const cancel = cancelOf(state, prompt);
      if (cancel !== null)
        return [
          without(state, prompt),
          [{ type: "settle_cancelled", seq: prompt.seq, cancel, persist: true }],
        ];
      return [command.type === "ready" ? withPhase(state, prompt, "queued") : state, []];
    }
    case "cancel":
      return endCovered(withRaisedMark(state, command.cancel), me);
    case "cancel_one": {
      const prompts = state.prompts.map((prompt) =>
        prompt.seq === command.seq
          ? { ...prompt, cancel: cancelOf(state, prompt) ?? command.cancel }
          : prompt,
      );
      return endCovered({ ...state, prompts }, me);
    }
    case "clear": {
      const waiting = state.prompts.filter(({ phase }) => phase === "queued");
      const cancel: Cancel = { reason: "by_client", by: command.by };
      return [waiting.reduce(without, state), waiting.map((prompt) => dropped(prompt, cancel))];
    }
    case "drain":
      return drain(state, command.seq, me);
    case "finish": {
      const prompt = find(state, command.seq);
      return [prompt === undefined ? state : without(state, prompt), []];
    }
    case "look": {
      const lost = state.prompts.filter((prompt) => command.dead.has(prompt.owner));
      const left = lost.reduce(without, state);
      const settled = lost.map(({ seq }): Effect => ({ type: "settle_interrupted", seq }));
      const [next, effects] = endCovered(left, me);
      return [next, [...settled, ...effects]];
    }
    default:
      return assertNever(command);
  }
}

/** The mark covers every open prompt; those that an earlier cancel covered keep theirs (INV-14). */
function withRaisedMark(state: SessionState, cancel: Cancel): SessionState {
  const upTo = state.prompts.at(-1)?.seq ?? 0;
  if (upTo <= (state.mark?.upTo ?? 0)) return state;
  const prompts = state.prompts.map((prompt) => ({ ...prompt, cancel: cancelOf(state, prompt) }));
  return { prompts, mark: { ...cancel, upTo } };
}

/**
 * Cancelled prompts: a queued one ends now; what an active one of ours does, or the readiness of a reserved one, is aborted; the
 * reserved one then ends at its decision.
 */
function endCovered(state: SessionState, me: string): Decision {
  const effects: Effect[] = [];
  let next = state;
  for (const prompt of state.prompts) {
    const cancel = cancelOf(state, prompt);
    if (cancel === null) continue;
    if (prompt.phase === "queued") {
      next = without(next, prompt);
      effects.push(dropped(prompt, cancel));
    } else if (prompt.owner === me) {
      effects.push({ type: "abort", seq: prompt.seq, cancel });
    }
  }
  return [next, effects];
}

/** Cancelled ones are dropped; those that may join the turn do, unless it is ending itself; the rest waits on, in order. */
function drain(state: SessionState, into: number, me: string): Decision {
  const running = find(state, into);
  if (running?.phase !== "active") return [state, []];
  const goesOn = cancelOf(state, running) === null;
  const effects: Effect[] = [];
  let next = state;
  for (const prompt of state.prompts) {
    if (prompt.phase !== "queued") continue;
    const cancel = cancelOf(state, prompt);
    if (cancel !== null) effects.push(dropped(prompt, cancel));
    else if (goesOn && prompt.foldable && prompt.owner === me)
      effects.push({ type: "fold", seq: prompt.seq, into });
    else continue;
    next = without(next, prompt);
  }
  return [next, effects];
}

/** Hand-off: the earliest open prompt takes the slot when it is ready and ours. */
function advance(state: SessionState, me: string): Decision {
  const head = state.prompts[0];
  if (head === undefined || head.phase !== "queued" || head.owner !== me) return [state, []];
  return [withPhase(state, head, "active"), [{ type: "start", seq: head.seq }]];
}

function withoutStaleMark(state: SessionState): SessionState {
  const { mark } = state;
  if (mark === null || state.prompts.some((prompt) => prompt.seq <= mark.upTo)) return state;
  return { ...state, mark: null };
}

function cancelOf({ mark }: SessionState, prompt: PromptEntry): Cancel | null {
  if (prompt.cancel !== null) return prompt.cancel;
  return mark !== null && prompt.seq <= mark.upTo ? { reason: mark.reason, by: mark.by } : null;
}

const find = (state: SessionState, seq: number): PromptEntry | undefined =>
  state.prompts.find((prompt) => prompt.seq === seq);

const without = (state: SessionState, gone: PromptEntry): SessionState => ({
  ...state,
  prompts: state.prompts.filter((prompt) => prompt.seq !== gone.seq),
});

const withPhase = (
  state: SessionState,
  changed: PromptEntry,
  phase: PromptEntry["phase"],
): SessionState => ({
  ...state,
  prompts: state.prompts.map((prompt) =>
    prompt.seq === changed.seq ? { ...prompt, phase } : prompt,
  ),
});

const dropped = ({ seq }: PromptEntry, cancel: Cancel): Effect => ({
  type: "settle_cancelled",
  seq,
  cancel,
  persist: false,
});
