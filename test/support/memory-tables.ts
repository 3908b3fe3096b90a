/** What a failing transaction has to take back, newest last. */
export type Undo = (() => void)[];

/** Runs `work` in a transaction; nested calls join the outer one. */
export type Write = <T>(work: () => T) => T;

/** A table in memory whose rows are replaced, never changed; what it does is written down, so that it can be taken back. */
export interface Table<Key, Row> {
  get(key: Key): Row | undefined;
  /** In the order in which they came. */
  rows(): Row[];
  put(key: Key, row: Row): void;
  remove(key: Key): void;
  /** The next of a strictly growing sequence. */
  nextSeq(): number;
}

export function memoryTable<Key, Row>(undo: () => Undo): Table<Key, Row> {
  let rows = new Map<Key, Row>();
  let last = 0;
  return {
    get: (key) => rows.get(key),
    rows: () => [...rows.values()],
    put: (key, row) => {
      const old = rows.get(key);
      undo().push(() => void (old === undefined ? rows.delete(key) : rows.set(key, old)));
      rows.set(key, row);
    },
    remove: (key) => {
      const before = new Map(rows); // with its order
      undo().push(() => {
        rows = before;
      });
      rows.delete(key);
    },
    nextSeq: () => {
      last += 1;
      undo().push(() => {
        last -= 1;
      });
      return last;
    },
  };
}
