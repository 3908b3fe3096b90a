import { expect, test } from "vitest";
import { readEvents } from "../../src/client/read-events.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { textOf } from "../../src/protocol/message.ts";
import type { RunId } from "../../src/protocol/ids.ts";
import { followStream, step } from "../../src/run/run-stream.ts";
import type { RunComplete } from "../../src/protocol/run-event.ts";
import { callsTools, fails, gated, says, stalls, type ModelStep } from "../support/fake-model.ts";
import { fakeServer, type FakeServer } from "../support/fake-server.ts";

async function* none(): AsyncIterable<string> {}

const open = async (
  server: FakeServer,
  workspace: string,
  more: Parameters<FakeServer["raw"]>[2] = {},
) => await server.raw("GET", `${workspace}/events?client_id=me&delta=1`, more);

/** As clients do that know no deltas. */
const openWhole = async (server: FakeServer, workspace: string) =>
  (await server.raw("GET", `${workspace}/events?client_id=me`)).body ?? none();

/** What a stream told in one go. */
const whole = (events: readonly WireEvent[]): unknown[] =>
  events.map((event) =>
    event.type === "message"
      ? [event.message.role, event.lifecycle, textOf(event.message)]
      : event.type,
  );

async function rest(body: AsyncIterable<string | Uint8Array>): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

/** The events of a stream, until one of this type. */
async function until(body: AsyncIterable<string | Uint8Array>, type: string): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for await (const event of readEvents(body)) {
    events.push(event);
    if (event.type === type) return events;
  }
  throw new Error(`the stream ended without ${type}`);
}

async function prompted(server: FakeServer, workspace: string, runId: string, options = {}) {
  const session_id = await server.session(workspace);
  await server.ask("POST", `${workspace}/agent`, {
    session_id,
    run_id: runId,
    prompt: "x",
    options,
  });
}

test("SSE-6: a quiet stream answers at once with its headers", async () => {
  await using server = fakeServer();
  const { status, headers, body } = await open(server, await server.workspace());
  expect(status).toBe(200);
  expect(headers.get("Content-Type")).toBe("text/event-stream");
  expect(headers.get("cache-control")).toContain("no-store");
  expect(body).not.toBeNull();
});

test("RUN-1: a stream that was open before the prompt tells the run from its start to its terminal", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const { body } = await open(server, workspace);
  await prompted(server, workspace, "r");
  const events = await until(body ?? none(), "run_complete");
  expect(events.map(({ type }) => type)).toEqual([
    "run.started",
    "step.started",
    "text.delta",
    "message.completed",
    "step.completed",
    "agent_notification",
    "run_complete",
  ]);
  const ofRun = events.filter(({ type }) => type !== "agent_notification");
  expect(ofRun.every((event) => "runId" in event && event.runId === "r")).toBe(true);
});

test("SSE-11: what is empty is left out on the wire, session and message always stand there", async () => {
  await using server = fakeServer({ models: { slow: [stalls()] } });
  const workspace = await server.workspace();
  const { body } = await open(server, workspace);
  await prompted(server, workspace, "", { model: "slow" });
  const [session] = (await server.ask("GET", `${workspace}/sessions`)).body;
  await server.ask("POST", `${workspace}/agent/sessions/${session.id}/cancel`);
  let line = "";
  for await (const chunk of body ?? none()) {
    line =
      String(chunk)
        .split("\n")
        .find((one) => one.includes('"run_complete"')) ?? "";
    if (line !== "") break;
  }
  const { payload } = JSON.parse(line.replace("data: ", "")).payload;
  expect(Object.keys(payload).toSorted()).toEqual([
    "cancel_reason",
    "cancelled",
    "error",
    "failure",
    "message_id",
    "session_id",
  ]);
});

test("Last-Event-ID resumes after the event it names", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const first = await open(server, workspace);
  await prompted(server, workspace, "r");
  await until(first.body ?? none(), "run_complete");
  const again = await open(server, workspace, { headers: { "Last-Event-ID": "8" } });
  const events = await until(again.body ?? none(), "run_complete");
  expect(events.map(({ type }) => type)).toEqual(["agent_notification", "run_complete"]);
});

test.each(["", "x", "999999"])("a Last-Event-ID of %j starts with what comes next", async (id) => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  await prompted(server, workspace, "old");
  await server.settled(workspace, "old");
  const { body } = await open(server, workspace, { headers: { "Last-Event-ID": id } });
  await prompted(server, workspace, "new");
  const events = await until(body ?? none(), "run_complete");
  expect(ends(events).map(({ runId }) => runId)).toEqual(["new"]);
  // W-2: no hole is silent. Whoever was never here has none.
  const types = events.map(({ type }) => type);
  expect(types.slice(0, types.indexOf("run.started"))).toEqual(id === "" ? [] : ["gap"]);
});

test("INV-25: leaving the stream is nothing to the run", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const { body } = await open(server, workspace);
  await prompted(server, workspace, "r");
  await until(body ?? none(), "run.started");
  expect(await server.settled(workspace, "r")).toMatchObject({ outcome: { reason: "end_turn" } });
});

test("SHU-8: when the server closes, open runs are told as cancelled before the streams end", async () => {
  await using server = fakeServer({ models: { slow: [stalls()] } });
  const workspace = await server.workspace();
  const { body } = await open(server, workspace);
  await prompted(server, workspace, "r", { model: "slow" });
  const reading = (async () => {
    const events: WireEvent[] = [];
    for await (const event of readEvents(body ?? none())) events.push(event);
    return events;
  })();
  await server.server.close();
  expect((await reading).at(-1)).toMatchObject({
    type: "run_complete",
    runId: "r",
    cancelled: true,
    failure: { reason: "by_shutdown" },
  });
});

test("SHU-10: the last client that lets go ends the runs of the workspace", async () => {
  await using server = fakeServer({ models: { slow: [stalls()] } });
  const workspace = await server.workspace();
  await prompted(server, workspace, "r", { model: "slow" });
  await server.ask("DELETE", "/clients/me");
  const again = await server.workspace("another");
  expect(await server.settled(again, "r")).toMatchObject({ outcome: { reason: "by_shutdown" } });
});

const ends = (events: readonly WireEvent[]): RunComplete[] =>
  events.filter((event): event is RunComplete => event.type === "run_complete");

/** Says the first half of its answer, and the second when it is let. */
function inHalves(): { readonly step: ModelStep; finish(): void } {
  const later = gated(says("lo"));
  return {
    finish: later.open,
    step: async function* halves(call, signal) {
      yield { type: "text", text: "Hel" };
      yield* later.step(call, signal);
    },
  };
}

test("RUN-13, SSE-18: a client that knows no deltas gets user message, growing answer and terminal event, and nothing that it does not know", async () => {
  const answer = inHalves();
  await using server = fakeServer({
    models: { tool: [callsTools({ name: "none" }), answer.step] },
  });
  const workspace = await server.workspace();
  const body = await openWhole(server, workspace);
  await prompted(server, workspace, "r", { model: "tool" });
  const events: WireEvent[] = [];
  for await (const event of readEvents(body)) {
    events.push(event);
    if (event.type === "message" && textOf(event.message) === "Hel") answer.finish();
    if (event.type === "run_complete") break;
  }
  const seen = whole(events).filter((one) => JSON.stringify(one) !== '["assistant","updated",""]');
  // The second half may be told alone before its message is finished, or together with that.
  expect(seen.filter((one, n) => JSON.stringify(one) !== JSON.stringify(seen[n - 1]))).toEqual([
    ["user", "created", "x"],
    ["assistant", "created", ""],
    ["tool", "created", ""],
    ["assistant", "created", ""],
    ["assistant", "updated", "Hel"],
    ["assistant", "updated", "Hello"],
    "agent_notification",
    "run_complete",
  ]);
  const runIds = events.flatMap((event) => (event.type === "message" ? [event.runId] : []));
  expect(new Set(runIds)).toEqual(new Set(["r"]));
  expect(ends(events)).toMatchObject([{ runId: "r", text: "Hello" }]);
});

test("SSE-9: what is published after the answer to a subscription is not missed, though nobody has begun to read", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const deltas = (await open(server, workspace)).body ?? none();
  const messages = await openWhole(server, workspace);
  await prompted(server, workspace, "r");
  await server.settled(workspace, "r");
  expect((await until(deltas, "run_complete"))[0]?.type).toBe("run.started");
  expect(whole(await until(messages, "run_complete"))[0]).toEqual(["user", "created", "x"]);
});

test("RUN-15, W-6: the terminal event of an aborted run reaches every subscriber, also behind one that does not read", async () => {
  await using server = fakeServer({ models: { slow: [stalls({ type: "text", text: "so far" })] } });
  const workspace = await server.workspace();
  const stuck = (await open(server, workspace)).body ?? none();
  const quick = (await open(server, workspace)).body ?? none();
  const messages = await openWhole(server, workspace);
  await prompted(server, workspace, "r", { model: "slow" });
  await until(
    (await open(server, workspace, { headers: { "Last-Event-ID": "1" } })).body ?? none(),
    "text.delta",
  );
  await server.ask("POST", `${workspace}/runs/r/cancel`);
  const terminal = { runId: "r", cancelled: true, text: "so far" };
  expect(ends(await until(quick, "run_complete"))).toMatchObject([terminal]);
  expect(ends(await until(messages, "run_complete"))).toMatchObject([terminal]);
  expect(ends(await until(stuck, "run_complete"))).toMatchObject([terminal]);
});

test("W-7: at shutdown runs are settled, then every subscriber is told, then the streams end", async () => {
  await using server = fakeServer({ models: { slow: [stalls()] } });
  const workspace = await server.workspace();
  const readers = [
    rest((await open(server, workspace)).body ?? none()),
    rest(await openWhole(server, workspace)),
  ];
  const unread = (await open(server, workspace)).body ?? none();
  for (const run of ["1", "2", "3"]) await prompted(server, workspace, run, { model: "slow" });
  await server.server.close();
  for (const events of await Promise.all([...readers, rest(unread)])) {
    expect(
      ends(events)
        .map(({ runId }) => runId)
        .toSorted((a, b) => Number(a) - Number(b)),
    ).toEqual(["1", "2", "3"]);
    expect(ends(events).every(({ cancelled }) => cancelled)).toBe(true);
    expect(events.at(-1)?.type).toBe("run_complete");
  }
});

test("W-25: of a failed run the terminal event alone is the verdict; the error event carries its RunID and changes nothing", async () => {
  await using server = fakeServer({ models: { bad: [fails()] } });
  const workspace = await server.workspace();
  const { body } = await open(server, workspace);
  await prompted(server, workspace, "r", { model: "bad" });
  const events = await until(body ?? none(), "agent_error");
  const [terminal] = ends(events);
  const error = events.at(-1);
  expect(terminal).toMatchObject({ runId: "r", failure: { message: "fake: provider_error" } });
  expect(error).toMatchObject({ runId: "r", error: "fake: provider_error" });
  if (terminal === undefined || error === undefined) throw new Error("not told");
  const following = followStream("r" as RunId, terminal.sessionId, "live");
  expect(step(following, error)).toEqual([following, []]);
  // In either order the verdict is the terminal's.
  const [after] = step(following, terminal);
  expect(after.phase).toBe("terminal");
  expect(step(after, error)).toEqual([after, []]);
});
