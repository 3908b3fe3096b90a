import { expect, test } from "vitest";
import { encodeEvent, type WireEvent } from "../../src/protocol/event-wire.ts";
import type { SessionId } from "../../src/protocol/ids.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { answer } from "../support/fake-transport.ts";
import { answering, opened } from "../support/opened-client.ts";

const gap: WireEvent = { type: "gap", missed: 3 };
const line = `id: 7\ndata: ${encodeEvent(gap)}\n\n`;
const { signal } = new AbortController();

test("SSE-10: after an abort no event is delivered, the body is let go once, and the reading ends", async () => {
  const abort = new AbortController();
  const aborted = deferred();
  abort.signal.addEventListener("abort", () => aborted.resolve());
  let released = 0;
  async function* body(): AsyncIterable<string> {
    try {
      yield line;
      await aborted.promise; // as a transport does: its body ends with the signal
      if (!abort.signal.aborted) yield line;
    } finally {
      released += 1;
    }
  }
  const { client } = await opened(({ url }) =>
    url.includes("/events") ? answer(200, body()) : undefined,
  );
  const events = (await client.events(abort.signal))[Symbol.asyncIterator]();
  expect((await events.next()).value).toEqual(gap);
  const late = events.next();
  abort.abort(new Error("gone"));
  expect(await late).toEqual({ done: true, value: undefined });
  expect(released).toBe(1);
});

test("W-2: who comes back says which event it knows, and keeps its place", async () => {
  const { client, heard } = await opened(({ url }) =>
    url.includes("/events") ? answer(200, line) : undefined,
  );
  const place = { lastId: null };
  for await (const event of await client.events(signal, "deltas", place))
    expect(event).toEqual(gap);
  expect(place).toEqual({ lastId: "7" });
  await client.events(signal, "deltas", place);
  expect(heard.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, undefined, "7"]);
});

test("CLI-24: the session of a server that knows no runs is cancelled by its own route", async () => {
  const { client, heard } = await answering(200);
  await client.cancelSession("s 1" as SessionId, signal);
  expect(heard.at(-1)).toMatchObject({
    method: "POST",
    url: "http://c/v1/workspaces/w/agent/sessions/s%201/cancel",
    body: null,
  });
});

test.each([
  ['{"is_ready":true}', true],
  ['{"is_ready":false}', false],
  ["{}", false],
])("CLI-26: %s says whether the agent is ready", async (body, ready) => {
  const { client, heard } = await answering(200, body);
  expect(await client.isReady(signal)).toBe(ready);
  expect(heard.at(-1)?.url).toBe("http://c/v1/workspaces/w/agent");
});
