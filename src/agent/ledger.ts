import type { RunOutcome } from "../protocol/run-record.ts";
import { addUsage, NO_USAGE, type Usage } from "../protocol/usage.ts";
import { costOf, type Prices } from "./cost.ts";
import type { Spent } from "./limits.ts";

/** What a turn has used so far. */
export class Ledger {
  #usage: Usage = NO_USAGE;
  /** US dollars; null from the first call on whose price is unknown. */
  #cost: number | null = 0;
  #turns = 0;
  #toolCalls = 0;

  /** A model call that completed. Returns what it cost. */
  account(usage: Usage, prices: Prices): number | null {
    const cost = costOf(usage, prices);
    this.#usage = addUsage(this.#usage, usage);
    this.#cost = this.#cost === null || cost === null ? null : this.#cost + cost;
    return cost;
  }

  /** The call was a step of the turn, not a summary. */
  countTurn(): void {
    this.#turns += 1;
  }

  countTools(calls: number): void {
    this.#toolCalls += calls;
  }

  spent(): Spent {
    return { turns: this.#turns, toolCalls: this.#toolCalls, usage: this.#usage };
  }

  forOutcome(): Pick<RunOutcome, "usage" | "costUsd" | "turns" | "toolCalls"> {
    return { ...this.spent(), costUsd: this.#cost };
  }
}
