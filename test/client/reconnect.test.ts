import { expect, test } from "vitest";
import type { Place } from "../../src/client/read-events.ts";
import { readEvents } from "../../src/client/read-events.ts";
import { reconnecting } from "../../src/client/reconnect.ts";
import { ServerRefused } from "../../src/client/server-refused.ts";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import { encodeEvent, type WireEvent } from "../../src/protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import { handClock } from "../support/hand-clock.ts";

const says = (text: string): WireEvent => ({
  type: "text.delta",
  runId: "r" as RunId,
  sessionId: "s" as SessionId,
  messageId: "m" as MessageId,
  text,
});
const frame = (text: string, id?: number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${encodeEvent(says(text))}\n\n`;
const gap: WireEvent = { type: "gap" };

interface Tried {
  readonly events: WireEvent[];
  /** Where each later connection was asked to go on. */
  readonly from: (string | null)[];
  readonly sleeps: readonly number[];
}

/** Each connection gives its text, and ends or breaks; or is refused. */
async function over(
  connections: readonly (string | Error)[],
  isOver: () => boolean = () => false,
  abort = new AbortController(),
): Promise<Tried> {
  const left = [...connections];
  const clock = handClock();
  const place: Place = { lastId: null };
  const from: (string | null)[] = [];
  const next = (): AsyncIterable<WireEvent> => {
    const one = left.shift() ?? new RunFailed(failure("provider_unavailable", "nobody there"));
    if (one instanceof Error) throw one;
    return readEvents(body(one), place);
  };
  const first = next();
  const events: WireEvent[] = [];
  const client = {
    events: async () => {
      from.push(place.lastId);
      return next();
    },
  };
  const stream = reconnecting(
    { client, events: first, place, clock, isOver: async () => isOver() },
    abort.signal,
  );
  for await (const event of stream) events.push(event);
  return { events, from, sleeps: clock.sleeps };
}

/** What ends with `!` breaks. */
async function* body(text: string): AsyncIterable<string> {
  yield text.replace(/!$/, "");
  if (text.endsWith("!")) throw new Error("ECONNRESET");
}

test.each(["", "!"])(
  "CLI-23, W-2, W-34: a stream that ends%s is opened again where it was left",
  async (how) => {
    const { events, from } = await over([frame("a", 1) + frame("b", 2) + how, frame("c", 3)]);
    expect(events).toEqual([says("a"), says("b"), says("c")]);
    expect(from.slice(0, 2)).toEqual(["2", "3"]);
  },
);

test("W-2: where the place is not known, a gap says that events may be missing", async () => {
  expect((await over([frame("a"), frame("c")])).events).toEqual([says("a"), gap, says("c")]);
  expect((await over(["", frame("a", 1)])).events).toEqual([gap, says("a")]);
  const behind = await over([frame("a", 1) + frame("b"), frame("c", 3)]);
  expect(behind).toMatchObject({ events: [says("a"), says("b"), gap, says("c")] });
  expect(behind.from[0]).toBe(null);
});

test("W-3: tries that find nobody wait longer and longer, and are given up", async () => {
  const { events, sleeps } = await over([frame("a", 1)]);
  expect(events).toEqual([says("a")]);
  expect(sleeps).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000, 2_000]);
});

test("an event in between begins the count anew", async () => {
  const { sleeps } = await over([frame("a", 1), new Error("x"), frame("b", 2)].slice(0, 1));
  const again = await over([frame("a", 1), "", "", frame("b", 2)]);
  expect(again.sleeps.length).toBe(sleeps.length + 3);
  expect(again.sleeps.slice(0, 4)).toEqual([100, 200, 400, 100]);
});

test("W-3: after each break it is asked whether the run is over, and what is gone is not tried again", async () => {
  expect((await over([frame("a", 1), frame("b", 2)], () => true)).events).toEqual([says("a")]);
  const gone = await over([frame("a", 1), new ServerRefused(404, "{}")]);
  expect(gone.from).toEqual(["1"]);
});

test("an abort ends the wait between two tries with its reason", async () => {
  const abort = new AbortController();
  const why = new Error("enough");
  const isOver = (): boolean => {
    abort.abort(why);
    return false;
  };
  await expect(over([frame("a", 1)], isOver, abort)).rejects.toBe(why);
});
