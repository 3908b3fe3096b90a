import type { Message } from "../protocol/message.ts";
import type { TurnEvent } from "../protocol/run-event.ts";
import type { Usage } from "../protocol/usage.ts";
import type { Clock } from "../shared/clock.ts";
import type { FileTracker } from "../tools/tool.ts";
import type { MessageSink } from "./message-sink.ts";

/** What a turn acts on. */
export interface TurnPorts {
  readonly sink: MessageSink;
  readonly emit: (event: TurnEvent) => void;
  /** Prompts that have joined this turn since it was last asked, stored already; asked before each model call. */
  readonly takeFollowUps: () => readonly Message[];
  readonly files: FileTracker;
  readonly clock: Clock;
  /** In [0, 1): spreads the waits of the retries. */
  readonly random: () => number;
  /** The provider refuses the key, and there is no other: somebody has to see to it. */
  readonly onKeyRefused: (providerId: string) => void;
  /** Told of what each model call used. */
  readonly onUsage: (usage: Usage, costUsd: number | null) => void;
}

/** A tool that talks all the time is news once a second. */
const PROGRESS_EVERY_MS = 1_000;

/**
 * The same ports while the turn lasts: each sign of life is a `touch`. Once they are disposed, a model or tool that was left behind
 * is not heard any more: what it emits is dropped, and what it wants to store throws.
 */
export function lastingPorts(ports: TurnPorts, touch: () => void): TurnPorts & Disposable {
  const { sink } = ports;
  let lastProgress = Number.NEGATIVE_INFINITY;
  let over = false;
  const lasting = (): void => {
    if (over) throw new Error("the turn is over");
    touch();
  };
  return {
    ...ports,
    takeFollowUps: () => {
      lasting();
      return ports.takeFollowUps();
    },
    // A late use is no part of the outcome any more, and its store may be closed.
    onUsage: (usage, costUsd) => {
      lasting();
      ports.onUsage(usage, costUsd);
    },
    emit: (event) => {
      if (over) return;
      touch();
      if (event.type === "tool.progress") {
        const now = ports.clock.monotonic();
        if (now - lastProgress < PROGRESS_EVERY_MS) return;
        lastProgress = now;
      }
      ports.emit(event);
    },
    sink: {
      open: (role) => {
        lasting();
        return sink.open(role);
      },
      openSummary: (by) => {
        lasting();
        return sink.openSummary(by);
      },
      append: (id, kind, text) => {
        lasting();
        sink.append(id, kind, text);
      },
      reset: (id) => {
        lasting();
        sink.reset(id);
      },
      finish: (id, role, parts) => {
        lasting();
        return sink.finish(id, role, parts);
      },
      finishSummary: (id, parts) => {
        lasting();
        return sink.finishSummary(id, parts);
      },
      remove: (id) => {
        lasting();
        sink.remove(id);
      },
    },
    [Symbol.dispose]: () => {
      over = true;
    },
  };
}
