import type { WireEvent } from "../protocol/event-wire.ts";
import { follow, type OpenMessages } from "./open-messages.ts";

/** An event as it was logged. Cursors grow by one. It becomes text only when somebody reads it. */
export interface LoggedEvent {
  readonly cursor: number;
  readonly event: WireEvent;
  /** About so many characters of memory. */
  readonly weight: number;
}

export interface LogRead {
  /** Events after the cursor, oldest first; the terminal events outlive the others. */
  readonly events: readonly LoggedEvent[];
  /** So many are no longer kept. */
  readonly missed: number;
  /** Cursor of the newest terminal event that is no longer kept; 0 when all are. */
  readonly lostTerminal: number;
}

export interface EventLog {
  /** Never waits, never throws, and calls nobody back. */
  append(event: WireEvent): void;
  /** Cursor of the last event; 0 when there is none. */
  head(): number;
  /** At most about `limit` events at a time. */
  read(after: number, limit: number): LogRead;
  /** The messages that were being written when the event of this cursor had been told; the caller's own copy. */
  openMessages(at: number): OpenMessages;
  /** Resolves when there is something after the cursor, the log is closed, `ms` are over or the signal fires. */
  wait(after: number, ms: number, signal: AbortSignal): Promise<void>;
  /** Nothing more will come; readers drain what is there and stop. */
  close(): void;
  isClosed(): boolean;
}

export interface LogBounds {
  /** No event counts for more, so that one giant does not drive out what nobody could read yet. */
  readonly heaviest: number;
  /** Weight of the events that are kept. */
  readonly keepChars: number;
  /** Terminal events that survive when the other events of their time are dropped (W-5): so many, of this weight. */
  readonly keepTerminals: number;
  readonly keepTerminalChars: number;
}

/** An event log in memory: what must last is in the store, so it keeps the newest events. */
export function memoryEventLog(bounds: LogBounds): EventLog {
  let events: LoggedEvent[] = [];
  /** The events before this place are dropped; they are cut off in bulk, because a cut costs as much as what is left. */
  let start = 0;
  let chars = 0;
  let last = 0;
  let closed = false;
  const terminals = terminalLane(bounds);
  /** As of the dropped events. */
  const open: OpenMessages = new Map();
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  const first = (): number => events[start]?.cursor ?? last + 1;
  const drop = (one: LoggedEvent): void => {
    chars -= one.weight;
    start += 1;
    follow(open, one.event);
    if (one.event.type === "run_complete") terminals.keep(one);
  };
  return {
    append: (event) => {
      if (closed) return;
      last += 1;
      const weight = Math.min(weightOf(event), bounds.heaviest);
      events.push({ cursor: last, event, weight });
      chars += weight;
      while (chars > bounds.keepChars && start < events.length - 1) {
        const oldest = events[start];
        if (oldest === undefined) break;
        drop(oldest);
      }
      if (start * 2 > events.length) {
        events = events.slice(start);
        start = 0;
      }
      wake();
    },
    head: () => last,
    read: (after, limit) => {
      const from = start + Math.max(0, after + 1 - first());
      const rest = events.slice(from, from + limit);
      const dropped = first() - 1 - after;
      const lostTerminal = terminals.lost();
      if (dropped <= 0) return { events: rest, missed: 0, lostTerminal };
      const kept = terminals.after(after);
      return { events: [...kept, ...rest], missed: dropped - kept.length, lostTerminal };
    },
    openMessages: (at) => {
      const then: OpenMessages = new Map(open);
      for (let place = start; place < events.length; place += 1) {
        const one = events[place];
        if (one === undefined || one.cursor > at) break;
        follow(then, one.event);
      }
      return then;
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

/** The newest terminal events of a time of which nothing else is kept. */
function terminalLane({ keepTerminals, keepTerminalChars }: LogBounds) {
  const kept: LoggedEvent[] = [];
  let chars = 0;
  let lost = 0;
  return {
    keep: (one: LoggedEvent): void => {
      kept.push(one);
      chars += one.weight;
      while (kept.length > keepTerminals || (chars > keepTerminalChars && kept.length > 1)) {
        const oldest = kept.shift();
        chars -= oldest?.weight ?? 0;
        lost = oldest?.cursor ?? lost;
      }
    },
    after: (cursor: number): readonly LoggedEvent[] => kept.filter((one) => one.cursor > cursor),
    lost: (): number => lost,
  };
}

/** What an object costs beside its texts. */
const OBJECT_CHARS = 64;

/** An estimate that costs next to nothing: its texts, down to the parts of a message. */
function weightOf(value: unknown, depth = 6): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null || depth === 0) return 8;
  let weight = OBJECT_CHARS;
  for (const item of Object.values(value)) weight += weightOf(item, depth - 1);
  return weight;
}
