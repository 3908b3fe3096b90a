/** An event as it was logged. Cursors grow by one. */
export interface LoggedEvent {
  readonly cursor: number;
  /** The envelope as one JSON line. */
  readonly line: string;
}

export interface EventLog {
  append(line: string): void;
  /** Cursor of the last event; 0 when there is none. */
  head(): number;
  /** Events after a cursor, oldest first. `gap`: some of them are no longer kept. */
  read(after: number): { readonly events: readonly LoggedEvent[]; readonly gap: boolean };
  /** Resolves when there is something after the cursor, the log is closed, `ms` are over or the signal fires. */
  wait(after: number, ms: number, signal: AbortSignal): Promise<void>;
  /** Nothing more will come; readers drain what is there and stop. */
  close(): void;
  isClosed(): boolean;
}

/** An event log in memory: what must last is in the store, so it keeps the newest events up to `keepChars`. */
export function memoryEventLog(keepChars: number): EventLog {
  let events: LoggedEvent[] = [];
  /** The events before this place are dropped; they are cut off in bulk, because a cut costs as much as what is left. */
  let start = 0;
  let chars = 0;
  let last = 0;
  let closed = false;
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  return {
    append: (line) => {
      if (closed) return;
      last += 1;
      events.push({ cursor: last, line });
      chars += line.length;
      while (chars > keepChars && start < events.length - 1) {
        chars -= events[start]?.line.length ?? 0;
        start += 1;
      }
      if (start * 2 > events.length) {
        events = events.slice(start);
        start = 0;
      }
      wake();
    },
    head: () => last,
    read: (after) => {
      const first = events[start]?.cursor ?? last + 1;
      const from = start + Math.max(0, after + 1 - first);
      return { events: events.slice(from), gap: after + 1 < first };
    },
    wait: async (after, ms, signal) => {
      if (last > after || closed || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          waiters.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        waiters.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    },
    close: () => {
      closed = true;
      wake();
    },
    isClosed: () => closed,
  };
}
