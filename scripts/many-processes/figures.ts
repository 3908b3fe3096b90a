import type { Journal } from "./journal.ts";
import type { Records } from "./records.ts";

/** What a round was made of, by name. */
export function figuresOf(journals: readonly Journal[], records: Records): Record<string, number> {
  const count = (is: string): number =>
    journals.reduce((sum, one) => sum + one.entries.filter((entry) => entry.is === is).length, 0);
  const { runs } = records;
  const ended: Record<string, number> = {};
  for (const { reason } of runs) {
    const name = `ended by ${reason}`;
    ended[name] = (ended[name] ?? 0) + 1;
  }
  return {
    processes: journals.length,
    prompts: runs.length,
    "with a RunID": runs.filter(({ runId }) => runId !== null).length,
    turns: count("turn"),
    "model calls": count("calls"),
    folded: runs.filter(({ reason, startedAt }) => reason === "end_turn" && startedAt === null)
      .length,
    attached: count("attached"),
    cancels: count("cancelled"),
    "terminal events": count("told"),
    "hand-offs between processes": handOffs(records),
    ...ended,
  };
}

/** Turns of a session that began in another process than the one before. */
function handOffs({ runs }: Records): number {
  const last = new Map<string, string>();
  let count = 0;
  for (const { session, owner, startedAt } of runs) {
    if (startedAt === null) continue;
    if ((last.get(session) ?? owner) !== owner) count += 1;
    last.set(session, owner);
  }
  return count;
}
