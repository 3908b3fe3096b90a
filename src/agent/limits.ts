import { failure, RunFailed, type RunFailure } from "../protocol/ending.ts";
import type { Usage } from "../protocol/usage.ts";
import type { TurnSetup, TurnWarning } from "./turn-setup.ts";

/** What a run has used so far. */
export interface Spent {
  readonly turns: number;
  readonly toolCalls: number;
  /** Of all model calls, summaries too. */
  readonly usage: Usage;
  /** US dollars, or somewhat more; null when a price is not known. */
  readonly costAtMost: number | null;
}

type Bounded = Pick<TurnSetup, "limits">;
type LimitReason = "turns" | "tool_calls" | "tokens" | "cost";

/** One limit that was asked for, and how much of it is used; null when that cannot be known. */
interface Gauge {
  readonly reason: LimitReason;
  readonly limit: number;
  readonly used: number | null;
  readonly flag: string;
  /** What is counted, in the plural. */
  readonly what: string;
}

const isNear = (used: number, limit: number): boolean => used * 5 >= limit * 4;

/** Whether another model call may be made. A run may use what it is given: tool calls end it only when one more is asked for. */
export function limitReached(setup: Bounded, spent: Spent): RunFailure | null {
  const over = gauges(setup, spent).find(
    ({ reason, used, limit }) => reason !== "tool_calls" && (used === null || used >= limit),
  );
  if (over === undefined) return null;
  const { reason, used } = over;
  if (used === null)
    return failure(reason, "what the run has cost is not known, and --max-cost limits it", {
      remedy: "complete the prices of the model in crush.json, or use --max-tokens",
    });
  return failure(reason, `the run has used ${shareOf(over)}`, { remedy: remedyOf(over) });
}

/** The calls of one step that the limit leaves, from the first on, and what it ends with when those are not all. */
export function withinLimit<Call>(
  { limits: { maxToolCalls } }: Bounded,
  used: number,
  calls: readonly Call[],
): { readonly allowed: readonly Call[]; readonly over: RunFailure | null } {
  if (maxToolCalls === null || used + calls.length <= maxToolCalls)
    return { allowed: calls, over: null };
  const gauge = toolCallGauge(maxToolCalls, used);
  const message = `the model asked for more than ${amountOf(gauge)}`;
  return {
    allowed: calls.slice(0, maxToolCalls - used),
    over: failure("tool_calls", message, { remedy: remedyOf(gauge) }),
  };
}

/**
 * Asked before each model call of a turn: throws for a limit that is reached, and warns once of each of which four fifths are used.
 */
export function limitKeeper(
  setup: Bounded,
  warn: (warning: TurnWarning) => void,
): (spent: Spent) => void {
  const told = new Set<LimitReason>();
  return (spent) => {
    const reached = limitReached(setup, spent);
    if (reached !== null) throw new RunFailed(reached);
    for (const gauge of gauges(setup, spent)) {
      const { reason, used, limit } = gauge;
      if (told.has(reason) || used === null || !isNear(used, limit)) continue;
      told.add(reason);
      warn({ code: "limit_near", message: `the run has used ${shareOf(gauge)}` });
    }
  };
}

function gauges({ limits }: Bounded, { turns, toolCalls, usage, costAtMost }: Spent): Gauge[] {
  const { maxTurns, maxToolCalls, maxTokens, maxCostUsd } = limits;
  const all: Gauge[] = [];
  if (maxTurns !== null)
    all.push({
      reason: "turns",
      limit: maxTurns,
      used: turns,
      flag: "--max-turns",
      what: "turns",
    });
  if (maxToolCalls !== null) all.push(toolCallGauge(maxToolCalls, toolCalls));
  if (maxTokens !== null)
    all.push({
      reason: "tokens",
      limit: maxTokens,
      used: usage.inputTokens + usage.outputTokens,
      flag: "--max-tokens",
      what: "tokens",
    });
  if (maxCostUsd !== null)
    all.push({
      reason: "cost",
      limit: maxCostUsd,
      used: toTheBillionth(costAtMost),
      flag: "--max-cost",
      what: "US dollars",
    });
  return all;
}

const toolCallGauge = (limit: number, used: number): Gauge => ({
  reason: "tool_calls",
  limit,
  used,
  flag: "--max-tool-calls",
  what: "tool calls",
});

/** A sum that binary fractions leave a hair short has reached its limit all the same. */
const toTheBillionth = (dollars: number | null): number | null =>
  dollars === null ? null : Number(dollars.toFixed(9));

/** `4 of 5 turns (--max-turns)` */
const shareOf = (gauge: Gauge): string =>
  `${Number((gauge.used ?? 0).toFixed(6))} of ${amountOf(gauge)}`;

const amountOf = ({ limit, what, flag }: Gauge): string =>
  `${limit} ${limit === 1 ? what.replace(/s$/, "") : what} (${flag})`;

const remedyOf = ({ flag }: Gauge): string => `raise ${flag}, or ask for less`;
