import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";
import { monotonicMs } from "../shared/clock.ts";
import { isJsonObject } from "../shared/json.ts";
import type { JsonObject } from "../shared/json.ts";
import { TransportFailed } from "../net/transport-failed.ts";
import type { HttpAnswer } from "./http-answer.ts";
import { LightBody } from "./light-body.ts";
import { MERGE_WINDOW_MS, NOTHING_HELD, merge } from "./merge-deltas.ts";
import type { MergeInput } from "./merge-deltas.ts";
import type { StreamRule } from "./stream-rule.ts";

/** How long usage and `[DONE]` may follow a finish reason. */
const GRACE_MS = 500;
/** One event is never longer than this many characters. */
const EVENT_LIMIT = 32 * 1024 * 1024;
/** Bytes that wait for a slow reader before the connection is paused. */
const AHEAD_BYTES = 262_144;

/**
 * The events of an answer as the SDK reads them: parsed, checked, joined (merge-deltas) and framed again. It closes
 * with the end marker of the family, whether or not the server ever closes. When the body ends without it, is cut or cannot be
 * read, it closes too, after everything that came before has been read, and `onFailure` has been told of a `TransportFailed` or
 * `StreamFault`: whoever reads to the end asks for that first.
 */
export function eventStreamBody(
  answer: HttpAnswer,
  rule: StreamRule,
  onFailure: (error: Error) => void,
): LightBody {
  const body = new LightBody({ resume: () => pump.resume(), cancel: () => pump.cancel() });
  const pump = new EventPump(answer, rule, {
    send: (bytes) => {
      body.push(bytes);
      if (body.waiting > AHEAD_BYTES) answer.body.pause();
    },
    close: () => body.end(),
    fail: (error) => {
      onFailure(error);
      // What waits is still to be read: the failure is looked at when the body has ended.
      body.end();
    },
  });
  return body;
}

interface Sink {
  send(bytes: Uint8Array): void;
  close(): void;
  fail(error: Error): void;
}

/** Invariant: after `close`, `fail` or `cancel`, nothing more reaches the sink and no timer runs. */
class EventPump {
  readonly #answer: HttpAnswer;
  readonly #rule: StreamRule;
  readonly #sink: Sink;
  readonly #parser;
  #state = NOTHING_HELD;
  #outgoing = "";
  #live = true;
  #started = false;
  #ended = false;
  /** The answer is whole, by its finish reason. */
  #whole = false;
  #flushTimer: NodeJS.Timeout | null = null;
  #graceTimer: NodeJS.Timeout | null = null;

  constructor(answer: HttpAnswer, rule: StreamRule, sink: Sink) {
    this.#answer = answer;
    this.#rule = rule;
    this.#sink = sink;
    this.#parser = createParser({
      onEvent: (event) => this.#onEvent(event),
      onError: (error) => {
        if (error.type === "max-buffer-size-exceeded") this.#break("an event is too long");
      },
      maxBufferSize: EVENT_LIMIT,
    });
    const { body } = answer;
    // A string decoder: it keeps characters whole that were split across packets.
    body.setEncoding("utf8");
    body.on("data", (text: string) => this.#feed(text));
    body.on("end", () => this.#onEnd());
    body.on("error", (error) => this.#end(answer.readFailure(error)));
    body.on("close", () => this.#onEnd());
  }

  /** For a reader that has caught up. */
  resume(): void {
    if (this.#live) this.#answer.body.resume();
  }

  cancel(): void {
    this.#stop();
    this.#answer.destroy();
  }

  #feed(text: string): void {
    if (!this.#live) return;
    const first = !this.#started;
    this.#started = true;
    this.#parser.feed(first && text.startsWith("\uFEFF") ? text.slice(1) : text);
    this.#flushOutgoing();
  }

  #onEvent({ data }: EventSourceMessage): void {
    if (!this.#live || data === "") return;
    if (data === "[DONE]") {
      if (this.#whole) this.#end(null);
      else this.#break("it said [DONE] without a finish reason");
      return;
    }
    const event = parsed(data);
    if (event === null) {
      const cut = this.#ended ? "it was cut in the middle of an event" : "an event is not JSON";
      this.#break(`${cut}: ${excerpt(data)}`);
      return;
    }
    this.#onReading(event, data.includes("\n") ? JSON.stringify(event) : data);
  }

  #onReading(event: JsonObject, frame: string): void {
    const reading = this.#rule.read(event);
    switch (reading.type) {
      case "noise":
        return;
      case "fault":
        this.#end(reading.fault);
        return;
      case "piece": {
        const { key, text } = reading;
        this.#step({ type: "piece", key, text, event, frame, at: monotonicMs() });
        if (this.#graceTimer !== null) this.#startGrace();
        return;
      }
      case "event":
        this.#step({ type: "event", frame });
        if (reading.ends === "now") this.#end(null);
        else if (reading.ends === "soon") {
          this.#whole = true;
          this.#startGrace();
        }
    }
  }

  #step(input: MergeInput): void {
    const [state, outputs] = merge(this.#state, input);
    this.#state = state;
    for (const output of outputs) {
      const data =
        output.type === "frame"
          ? output.frame
          : JSON.stringify(this.#rule.withText(output.event, output.text));
      this.#outgoing += `data: ${data}\n\n`;
    }
    if (state.held !== null)
      this.#flushTimer ??= setTimeout(() => this.#onFlush(), MERGE_WINDOW_MS);
  }

  #onFlush(): void {
    this.#flushTimer = null;
    if (!this.#live) return;
    this.#step({ type: "flush", at: monotonicMs() });
    this.#flushOutgoing();
  }

  #flushOutgoing(): void {
    if (!this.#live || this.#outgoing === "") return;
    const bytes = Buffer.from(this.#outgoing);
    this.#outgoing = "";
    this.#sink.send(bytes);
  }

  /** Starts anew with each piece that still comes: some servers set a finish reason on every chunk. */
  #startGrace(): void {
    if (this.#graceTimer !== null) clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => this.#end(null), GRACE_MS);
  }

  #onEnd(): void {
    if (!this.#live) return;
    this.#ended = true;
    // Dispatches an event whose closing blank line is missing; a cut one is not JSON and says so.
    this.#feed("\n\n");
    if (!this.#live) return;
    if (this.#whole) this.#end(null);
    else this.#break("it ended without a finish marker");
  }

  #break(why: string): void {
    this.#end(new TransportFailed(`stream broke: ${why} (${this.#answer.where})`));
  }

  #end(error: Error | null): void {
    if (!this.#live) return;
    this.#step({ type: "flush", at: monotonicMs() });
    this.#flushOutgoing();
    this.#stop();
    if (error === null) {
      this.#answer.finish();
      this.#sink.close();
    } else {
      this.#answer.destroy();
      this.#sink.fail(error);
    }
  }

  #stop(): void {
    this.#live = false;
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    if (this.#graceTimer !== null) clearTimeout(this.#graceTimer);
  }
}

function parsed(data: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

const excerpt = (data: string): string => (data.length > 60 ? `${data.slice(0, 60)}…` : data);
