import { decodeEvent, type WireEvent } from "../../src/protocol/event-wire.ts";
import { memoryEventLog, type EventLog, type LogBounds } from "../../src/server/event-log.ts";
import { eventStream, type Subscription } from "../../src/server/event-stream.ts";

/** A log with room, unless told otherwise. */
export const eventLog = (bounds: Partial<LogBounds> = {}): EventLog =>
  memoryEventLog({
    heaviest: 1_000_000,
    keepChars: 1_000_000,
    keepTerminals: 1_000,
    keepTerminalChars: 1_000_000,
    ...bounds,
  });

/** A subscriber of a log, from its beginning and with deltas, unless told otherwise. */
export function subscribe(
  log: EventLog,
  more: Partial<Subscription> = {},
  signal: AbortSignal = new AbortController().signal,
): AsyncIterator<string> {
  const shown = (event: WireEvent): WireEvent => event;
  const subscription = { log, after: 0, isLost: false, deltas: true, shown, ...more };
  return eventStream(subscription, signal)[Symbol.asyncIterator]();
}

/** The events of a chunk of a stream. */
export const eventsIn = (chunk: string): WireEvent[] =>
  chunk
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => {
      const event = decodeEvent(line.slice("data: ".length));
      if (event === null) throw new Error(`not understood: ${line}`);
      return event;
    });

/** Everything until the stream ends. */
export async function readAll(stream: AsyncIterator<string>): Promise<string> {
  let text = "";
  for (;;) {
    const { done, value } = await stream.next();
    if (done === true) return text;
    text += value;
  }
}
