import { encodeEvent, type WireEvent } from "../protocol/event-wire.ts";
import { monotonicMs } from "../shared/clock.ts";
import type { EventLog } from "./event-log.ts";
import { deltaView, wholeMessageView, type EventView } from "./whole-messages.ts";

const HEARTBEAT_MS = 10_000;
/** Events that are told at once, before the reader is asked again whether it can take more. */
const BATCH_EVENTS = 1_000;

export interface Subscription {
  readonly log: EventLog;
  /** Cursor of the last event that the subscriber knows. */
  readonly after: number;
  /** It comes from a place that the log does not know: events may be missing. */
  readonly isLost: boolean;
  /** Text as deltas; otherwise each change of a message is the whole message. */
  readonly deltas: boolean;
}

/**
 * The log as server-sent events: one `data:` line each, `id:` is the cursor, a comment when it is quiet. Ends when the log is
 * closed and read to its end, or when the signal fires. Pulled, so a slow reader slows only itself; one that lags so far that
 * terminal events of its time are gone is cut off with an error, so that it knows (W-5).
 */
export function eventStream(
  subscription: Subscription,
  signal: AbortSignal,
): AsyncIterable<string> {
  return tell(subscription, subscription.log.head(), signal);
}

/** `since` is the head of the log when the subscriber came. */
async function* tell(
  { log, after, isLost, deltas }: Subscription,
  since: number,
  signal: AbortSignal,
): AsyncIterable<string> {
  const viewAt = (at: number): EventView =>
    deltas ? deltaView : wholeMessageView(log.openMessages(at));
  let toldAt = monotonicMs();
  const quietMs = (): number => monotonicMs() - toldAt;
  let cursor = after;
  let view = viewAt(cursor);
  if (isLost) yield frame({ type: "gap" }, null);
  while (!signal.aborted) {
    const { events, missed, lostTerminal } = log.read(cursor, BATCH_EVENTS);
    let frames = "";
    if (missed > 0) {
      // Who comes back knows that it was away: only what it was here for counts.
      if (lostTerminal > Math.max(since, cursor))
        throw new Error("the subscriber is too slow: it has missed terminal events");
      view = viewAt(cursor);
      frames += frame({ type: "gap", missed }, null);
    }
    for (const { cursor: at, event } of events) {
      const told = view.next(event);
      frames += framesOf(told, view.isBehind() ? null : at);
      cursor = at;
    }
    frames += framesOf(view.flush(), cursor);
    if (frames !== "" || quietMs() >= HEARTBEAT_MS) {
      yield frames === "" ? ": still here\n\n" : frames;
      toldAt = monotonicMs();
    }
    if (events.length > 0) continue;
    if (log.isClosed()) return;
    await log.wait(cursor, Math.max(1, HEARTBEAT_MS - quietMs()), signal);
  }
}

/** The cursor stands at the last: who breaks off between them is told them all again. */
const framesOf = (told: readonly WireEvent[], cursor: number | null): string =>
  told.map((event, n) => frame(event, n === told.length - 1 ? cursor : null)).join("");

/** `cursor` is null when not everything before was told: who comes back must not begin behind it. */
function frame(event: WireEvent, cursor: number | null): string {
  try {
    return `${cursor === null ? "" : `id: ${cursor}\n`}data: ${encodeEvent(event)}\n\n`;
  } catch {
    return ""; // what JSON cannot say is skipped; the stream goes on (SSE-7)
  }
}
