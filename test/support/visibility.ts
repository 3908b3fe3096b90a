import type { Store } from "../../src/store/store.ts";

/** Every state that a prompt was ever seen in, by sequence. */
export type Sightings = Map<number, string[]>;

export interface Watched {
  readonly seen: Sightings;
  /** All prompts after each commit, as `seq state`. */
  readonly commits: string[][];
  /** Whether a transaction is open. */
  readonly inside: () => boolean;
  readonly wrap: (store: Store) => Store;
}

/** Looks at all prompts after every commit: that is all that anybody can ever see of them. */
export function visibility(onCommit: () => void = () => {}): Watched {
  const seen: Sightings = new Map();
  const commits: string[][] = [];
  let depth = 0;
  const look = (store: Store): void => {
    const states: string[] = [];
    const openStates = new Map(
      store.runs
        .openSessions()
        .flatMap((id) => store.runs.open(id).map(({ seq, state }) => [seq, state] as const)),
    );
    for (let seq = 1; store.runs.get(seq) !== null; seq += 1) {
      const settled = store.runs.outcome(seq) !== null;
      const open = openStates.get(seq);
      const where = [...(settled ? ["settled"] : []), ...(open === undefined ? [] : [open])];
      const state = where.length === 1 ? (where[0] ?? "") : `in ${where.length} places`;
      states.push(`${seq} ${state}`);
      const known = seen.get(seq) ?? [];
      if (known.at(-1) !== state) seen.set(seq, [...known, state]);
    }
    commits.push(states);
  };
  return {
    seen,
    commits,
    inside: () => depth > 0,
    wrap: (store) => ({
      ...store,
      transaction: (work, durability) => {
        depth += 1;
        try {
          return store.transaction(work, durability);
        } finally {
          depth -= 1;
          look(store);
          onCommit();
        }
      },
    }),
  };
}
