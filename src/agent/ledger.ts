import type { ModelUsage, RunOutcome } from "../protocol/run-record.ts";
import { addUsage, NO_USAGE, type Usage } from "../protocol/usage.ts";
import { costAtMost, costOf, type Prices } from "./cost.ts";
import type { Spent } from "./limits.ts";

/** What a turn has used so far. */
export class Ledger {
  readonly #byModel = new Map<string, Usage>();
  #usage: Usage = NO_USAGE;
  /** US dollars; null from the first call on whose price is unknown. */
  #cost: number | null = 0;
  #costAtMost: number | null = 0;
  #turns = 0;
  #toolCalls = 0;

  /** `main` is the model of the turn. */
  constructor(main: string) {
    this.#byModel.set(main, NO_USAGE);
  }

  /** A call of this model that completed. Returns what it cost. */
  account(model: string, usage: Usage, prices: Prices): number | null {
    const cost = costOf(usage, prices);
    this.#usage = addUsage(this.#usage, usage);
    this.#byModel.set(model, addUsage(this.#byModel.get(model) ?? NO_USAGE, usage));
    this.#cost = sum(this.#cost, cost);
    this.#costAtMost = sum(this.#costAtMost, costAtMost(usage, prices));
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
    return {
      turns: this.#turns,
      toolCalls: this.#toolCalls,
      usage: this.#usage,
      costAtMost: this.#costAtMost,
    };
  }

  forOutcome(): Pick<
    RunOutcome,
    "usage" | "byModel" | "costUsd" | "turns" | "toolCalls" | "models"
  > {
    const byModel = [...this.#byModel].map(([model, usage]): ModelUsage => ({ model, usage }));
    return {
      usage: this.#usage,
      byModel,
      models: byModel.map(({ model }) => model),
      costUsd: this.#cost,
      turns: this.#turns,
      toolCalls: this.#toolCalls,
    };
  }
}

const sum = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a + b;
