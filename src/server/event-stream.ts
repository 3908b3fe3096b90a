import type { EventLog } from "./event-log.ts";
import { encodeEvent } from "../protocol/event-wire.ts";

const HEARTBEAT_MS = 10_000;

/**
 * The log as server-sent events: one `data:` line each, `id:` is the cursor, a comment when it is quiet. Ends when the log is
 * closed and read to its end, or when the signal fires. Pulled, so a slow reader slows only itself.
 */
export async function* eventStream(
  log: EventLog,
  after: number,
  signal: AbortSignal,
): AsyncIterable<string> {
  let cursor = after;
  while (!signal.aborted) {
    const { events, gap } = log.read(cursor);
    if (gap) yield `data: ${encodeEvent({ type: "gap" })}\n\n`;
    let frames = "";
    for (const event of events) {
      frames += `id: ${event.cursor}\ndata: ${event.line}\n\n`;
      cursor = event.cursor;
    }
    if (frames !== "") {
      yield frames;
      continue;
    }
    if (log.isClosed()) return;
    await log.wait(cursor, HEARTBEAT_MS, signal);
    if (log.head() === cursor && !log.isClosed() && !signal.aborted) yield ": still here\n\n";
  }
}
