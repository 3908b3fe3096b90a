import { createParser } from "eventsource-parser";
import { decodeEvent, type WireEvent } from "../protocol/event-wire.ts";

/** Where a reader stands in a stream of events. */
export interface Place {
  /** Id of the last event that was given out; null when that had none: nobody can come back to exactly here. */
  lastId: string | null;
}

/** The events of a stream, in order; what is unknown or malformed is skipped. Ends with the stream. Keeps `place` up to date. */
export async function* readEvents(
  body: AsyncIterable<Uint8Array | string>,
  place: Place = { lastId: null },
): AsyncIterable<WireEvent> {
  let frames: { readonly id: string | null; readonly data: string }[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => frames.push({ id: id === undefined || id === "" ? null : id, data }),
  });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parser.feed(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
    const ready = frames;
    frames = [];
    for (const { id, data } of ready) {
      place.lastId = id;
      const event = decodeEvent(data);
      if (event !== null) yield event;
    }
  }
}
