import { assertNever } from "../shared/assert-never.ts";
import type { Reason } from "../protocol/ending.ts";

/**
 * The dispatch of one session as a pure function. Invariants:
 *  I1  at most one prompt of a session is active, and it is the earliest accepted one that is still open;
 *  I2  a cancel ends exactly the open prompts accepted before it, whatever order they arrive in afterwards;
 *  I3  every open prompt leaves by exactly one `settle` effect or by `finish` of its own run;
 *  I4  a process starts only prompts that it accepted itself.
 */
export interface SessionState {
  /** Open prompts in order of acceptance. */
  readonly prompts: readonly PromptEntry[];
  /** Highest accept sequence that a cancel has covered while prompts were open; null when there is none. */
  readonly mark: Mark | null;
}

export interface Mark {
  readonly upTo: number;
  readonly reason: Reason;
}

export interface PromptEntry {
  /** Accept sequence: later acceptance, higher number. */
  readonly seq: number;
  readonly owner: string;
  /** `reserved`: accepted, not yet ready to run; `queued`: waits for its turn; `active`: holds the slot. */
  readonly phase: "reserved" | "queued" | "active";
  /** A cancel of this one prompt. */
  readonly cancelReason: Reason | null;
}

/** Accepting is no command: a prompt enters the state, reserved, when its row is stored with the next sequence. */
export type Command =
  /** An accepted prompt of ours is ready to run: the dispatch decision. */
  | { readonly type: "ready"; readonly seq: number }
  /** An accepted prompt of ours will never be ready; a cancel that came before is its outcome (CAN-26). */
  | { readonly type: "unready"; readonly seq: number }
  /** Everything accepted so far shall end. */
  | { readonly type: "cancel"; readonly reason: Reason }
  | { readonly type: "cancel_one"; readonly seq: number; readonly reason: Reason }
  /** What waits shall not run; the active prompt, those not yet ready and the mark stay as they are (QUE-18). */
  | { readonly type: "clear" }
  /** A prompt of ours has its outcome (the slot, if it held it, is free). */
  | { readonly type: "finish"; readonly seq: number }
  /** Another process may have changed something, or died. */
  | { readonly type: "look"; readonly dead: ReadonlySet<string> };

export type Effect =
  | { readonly type: "start"; readonly seq: number }
  | { readonly type: "abort"; readonly seq: number; readonly reason: Reason }
  /** Cancelled before it ran. `persist`: it had reached its turn, so the history shows it (PER-4). */
  | {
      readonly type: "settle_cancelled";
      readonly seq: number;
      readonly reason: Reason;
      readonly persist: boolean;
    }
  /** The process that owned it is gone. */
  | { readonly type: "settle_interrupted"; readonly seq: number };

/** One command of the process `me`; the next state and what is to be done. No clock, no I/O, no await. */
export function decide(
  state: SessionState,
  command: Command,
  me: string,
): readonly [SessionState, readonly Effect[]] {
  const [next, effects] = apply(state, command, me);
  const [advanced, started] = advance(next, me);
  return [withoutStaleMark(advanced), [...effects, ...started]];
}

function apply(
  state: SessionState,
  command: Command,
  me: string,
): readonly [SessionState, readonly Effect[]] {
  switch (command.type) {
    case "ready":
    case "unready": {
      const prompt = find(state, command.seq);
      if (prompt?.phase !== "reserved") return [state, []];
      const reason = cancelOf(state, prompt);
      if (reason !== null)
        return [
          without(state, prompt),
          [{ type: "settle_cancelled", seq: prompt.seq, reason, persist: true }],
        ];
      return [command.type === "ready" ? withPhase(state, prompt, "queued") : state, []];
    }
    case "cancel":
      return endCovered(withRaisedMark(state, command.reason), me);
    case "cancel_one": {
      const prompts = state.prompts.map((prompt) =>
        prompt.seq === command.seq
          ? { ...prompt, cancelReason: cancelOf(state, prompt) ?? command.reason }
          : prompt,
      );
      return endCovered({ ...state, prompts }, me);
    }
    case "clear": {
      const waiting = state.prompts.filter(({ phase }) => phase === "queued");
      return [waiting.reduce(without, state), waiting.map(dropped)];
    }
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

/** The mark covers every open prompt; those that an earlier cancel covered keep their reason (INV-14). */
function withRaisedMark(state: SessionState, reason: Reason): SessionState {
  const upTo = state.prompts.at(-1)?.seq ?? 0;
  if (upTo <= (state.mark?.upTo ?? 0)) return state;
  const prompts = state.prompts.map((prompt) => ({
    ...prompt,
    cancelReason: cancelOf(state, prompt),
  }));
  return { prompts, mark: { upTo, reason } };
}

/**
 * Cancelled prompts: a queued one ends now; what an active one of ours does, or the readiness of a reserved one, is aborted; the
 * reserved one then ends at its decision.
 */
function endCovered(state: SessionState, me: string): readonly [SessionState, readonly Effect[]] {
  const effects: Effect[] = [];
  let next = state;
  for (const prompt of state.prompts) {
    const reason = cancelOf(state, prompt);
    if (reason === null) continue;
    if (prompt.phase === "queued") {
      next = without(next, prompt);
      effects.push({ type: "settle_cancelled", seq: prompt.seq, reason, persist: false });
    } else if (prompt.owner === me) {
      effects.push({ type: "abort", seq: prompt.seq, reason });
    }
  }
  return [next, effects];
}

/** Hand-off: the earliest open prompt takes the slot when it is ready and ours. */
function advance(state: SessionState, me: string): readonly [SessionState, readonly Effect[]] {
  const head = state.prompts[0];
  if (head === undefined || head.phase !== "queued" || head.owner !== me) return [state, []];
  return [withPhase(state, head, "active"), [{ type: "start", seq: head.seq }]];
}

function withoutStaleMark(state: SessionState): SessionState {
  const { mark } = state;
  if (mark === null || state.prompts.some((prompt) => prompt.seq <= mark.upTo)) return state;
  return { ...state, mark: null };
}

function cancelOf(state: SessionState, prompt: PromptEntry): Reason | null {
  if (prompt.cancelReason !== null) return prompt.cancelReason;
  return state.mark !== null && prompt.seq <= state.mark.upTo ? state.mark.reason : null;
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

const dropped = ({ seq }: PromptEntry): Effect => ({
  type: "settle_cancelled",
  seq,
  reason: "by_client",
  persist: false,
});
