import { expect, test } from "vitest";
import { readEvents } from "../../src/client/read-events.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { stalls } from "../support/fake-model.ts";
import { fakeServer, type FakeServer } from "../support/fake-server.ts";

async function* none(): AsyncIterable<string> {}

const open = async (
  server: FakeServer,
  workspace: string,
  more: Parameters<FakeServer["raw"]>[2] = {},
) => await server.raw("GET", `${workspace}/events?client_id=me`, more);

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
    "run_complete",
  ]);
  expect(events.every((event) => "runId" in event && event.runId === "r")).toBe(true);
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
  const again = await open(server, workspace, { headers: { "Last-Event-ID": "5" } });
  const events = await until(again.body ?? none(), "run_complete");
  expect(events.map(({ type }) => type)).toEqual(["run_complete"]);
});

test.each(["", "x", "999999"])("a Last-Event-ID of %j starts with what comes next", async (id) => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  await prompted(server, workspace, "old");
  await server.settled(workspace, "old");
  const { body } = await open(server, workspace, { headers: { "Last-Event-ID": id } });
  await prompted(server, workspace, "new");
  const events = await until(body ?? none(), "run_complete");
  expect(events.every((event) => "runId" in event && event.runId === "new")).toBe(true);
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
