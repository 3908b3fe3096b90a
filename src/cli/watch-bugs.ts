import { failureOf } from "../protocol/failure-of.ts";
import { RunAborted } from "../protocol/run-aborted.ts";

export interface BugWatch extends Disposable {
  /** The first one; null before it. */
  found(): RunAborted | null;
}

/**
 * Hears of what was thrown where nobody could catch it (a timer, an event listener): Node alone would end the process on the spot, with a
 * trace, and leave the run's commands behind. `onFirst` cancels the run.
 */
export function watchBugs(onFirst: (why: RunAborted) => void): BugWatch {
  let first: RunAborted | null = null;
  const listener = (error: unknown): void => {
    if (first !== null) return;
    first = new RunAborted("internal", { ...failureOf(error), reason: "internal" });
    onFirst(first);
  };
  process.on("uncaughtException", listener);
  return {
    found: () => first,
    [Symbol.dispose]: () => void process.off("uncaughtException", listener),
  };
}
