import { RunFailed } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import type { Clock } from "../shared/clock.ts";
import type { WorkspaceClient } from "./client.ts";
import type { Place } from "./read-events.ts";
import { ServerRefused } from "./server-refused.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** Without an event in between; fourteen seconds. */
const TRIES = 10;

export interface Reconnecting {
  readonly client: Pick<WorkspaceClient, "events">;
  /** The first stream, and where it stands. */
  readonly events: AsyncIterable<WireEvent>;
  readonly place: Place;
  readonly clock: Clock;
  /** Asked after each break: true when there is nothing more to wait for. */
  readonly isOver: () => Promise<boolean>;
}

/**
 * The events of a workspace over any number of connections: a stream that ends or breaks is opened again where it was left, after a
 * wait that doubles. Where that place is not known, a `gap` says that events may be missing. Ends when `isOver`, when the server says
 * that the workspace is gone, and after ten tries without an event. Rejects with `signal.reason` alone (behaviour.md W-2, W-3, W-34).
 */
export async function* reconnecting(
  { client, events, place, clock, isOver }: Reconnecting,
  signal: AbortSignal,
): AsyncIterable<WireEvent> {
  let stream: AsyncIterable<WireEvent> | null | "gone" = events;
  for (let tried = 0; tried <= TRIES; tried += 1) {
    if (tried > 0) {
      await clock.sleep(Math.min(FIRST_WAIT_MS * 2 ** (tried - 1), LONGEST_WAIT_MS), signal);
      const isExact = place.lastId !== null;
      stream = await reopened(client, place, signal);
      if (stream === "gone") return;
      if (stream !== null && !isExact) yield { type: "gap" };
    }
    if (stream !== null)
      for await (const event of untilBroken(stream, signal)) {
        tried = 0;
        yield event;
      }
    if (await isOver()) return;
  }
}

async function reopened(
  client: Reconnecting["client"],
  place: Place,
  signal: AbortSignal,
): Promise<AsyncIterable<WireEvent> | null | "gone"> {
  try {
    return await client.events(signal, "deltas", place);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RunFailed)) throw error;
    return error instanceof ServerRefused && error.kind === "gone" ? "gone" : null;
  }
}

/** A broken stream is one that has ended. */
async function* untilBroken(
  events: AsyncIterable<WireEvent>,
  signal: AbortSignal,
): AsyncIterable<WireEvent> {
  try {
    yield* events;
  } catch {
    signal.throwIfAborted();
  }
}
