/** A tool call with its result, as the guard compares them. */
export interface SettledCall {
  readonly name: string;
  readonly input: string;
  readonly content: string;
}

/** What the guard remembers: how often each call in a row of steps brought the very same result. */
export interface LoopGuard {
  /** The last step's calls and results, as one key. */
  readonly last: string;
  readonly repeats: number;
}

export const NO_LOOP: LoopGuard = { last: "", repeats: 0 };

/** As many steps in a row with the same calls and the same results end the run. */
export const LOOP_LIMIT = 5;

/** One step further. A run loops when `repeats` reaches `LOOP_LIMIT`. */
export function watchLoop(guard: LoopGuard, calls: readonly SettledCall[]): LoopGuard {
  const key = JSON.stringify(calls.map(({ name, input, content }) => [name, input, content]));
  return { last: key, repeats: key === guard.last ? guard.repeats + 1 : 1 };
}
