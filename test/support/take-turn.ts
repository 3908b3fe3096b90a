import { runTurn } from "../../src/agent/run-turn.ts";
import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import type { Message } from "../../src/protocol/message.ts";
import type { TurnEvent } from "../../src/protocol/run-event.ts";
import type { RunOutcome } from "../../src/protocol/run-record.ts";
import type { Usage } from "../../src/protocol/usage.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { handClock } from "./hand-clock.ts";
import { memorySink, userMessage, type MemorySink } from "./memory-sink.ts";
import { fileTracker } from "./tool-context.ts";

export interface TakenTurn {
  readonly outcome: RunOutcome;
  readonly sink: MemorySink;
  readonly events: TurnEvent[];
  /** How often somebody was told that the key is refused. */
  readonly refusals: number;
  readonly used: { readonly usage: Usage; readonly costUsd: number | null }[];
}

interface Wishes {
  readonly history?: readonly Message[];
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly sink?: MemorySink;
  readonly random?: () => number;
  readonly onEvent?: (event: TurnEvent) => void;
  readonly takeFollowUps?: () => readonly Message[];
}

/** Runs one turn in memory and returns everything it left. */
export async function takeTurn(setup: TurnSetup, wishes: Wishes = {}): Promise<TakenTurn> {
  const sink = wishes.sink ?? memorySink();
  const events: TurnEvent[] = [];
  let refusals = 0;
  const used: { usage: Usage; costUsd: number | null }[] = [];
  const outcome = await runTurn(
    setup,
    {
      sink,
      takeFollowUps: wishes.takeFollowUps ?? (() => []),
      onKeyRefused: () => {
        refusals += 1;
      },
      emit: (event) => {
        events.push(event);
        wishes.onEvent?.(event);
      },
      files: fileTracker(),
      clock: wishes.clock ?? handClock(),
      random: wishes.random ?? (() => 0.5),
      onUsage: (usage, costUsd) => used.push({ usage, costUsd }),
    },
    wishes.history ?? [userMessage("hello")],
    wishes.signal ?? new AbortController().signal,
  );
  return { outcome, sink, events, used, refusals };
}
