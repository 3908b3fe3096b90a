import { createParser } from "eventsource-parser";
import { decodeEvent, type WireEvent } from "../protocol/event-wire.ts";

/** The events of a stream, in order; what is unknown or malformed is skipped. Ends with the stream. */
export async function* readEvents(
  body: AsyncIterable<Uint8Array | string>,
): AsyncIterable<WireEvent> {
  let lines: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => lines.push(data) });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parser.feed(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
    const ready = lines;
    lines = [];
    for (const line of ready) {
      const event = decodeEvent(line);
      if (event !== null) yield event;
    }
  }
}
