import { expect, test } from "vitest";
import { readEvents } from "../../src/client/read-events.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { textOf, type Message } from "../../src/protocol/message.ts";
import { finish, gated, parts, says, toolCall, type ModelStep } from "../support/fake-model.ts";
import { fakeServer, type ServerWishes } from "../support/fake-server.ts";
import { scriptedRuns } from "../support/scripted-runs.ts";

async function* none(): AsyncIterable<string> {}

/** What a message is, and its text. */
const brief = (message: Message): string =>
  `${message.role} ${textOf(message) || (message.parts.at(-1)?.type ?? "")}`;

test("W-31: while one turn streams, another is cancelled on entry: the messages of both stay whole and in order, in events, history and model input", async () => {
  const { script, wishes } = scriptedRuns();
  const asked: Record<string, string[][]> = { a: [], c: [] };
  const heard =
    (run: string, step: ModelStep): ModelStep =>
    (call, signal) => {
      asked[run]?.push(call.messages.map(brief));
      return step(call, signal);
    };
  // Streams its text in two halves and calls a tool, so that the model is asked again.
  const rest = gated(
    parts({ type: "text", text: "lo" }, toolCall({ name: "none" }), finish("tool_use")),
  );
  const streaming: ModelStep = async function* streamed(call, signal) {
    yield { type: "text", text: "Hel" };
    yield* rest.step(call, signal);
  };
  const ofA = [streaming, says("done")];
  const stepOf: NonNullable<ServerWishes["stepOf"]> = (run) => {
    if (run === "c") return heard("c", says("last"));
    if (run !== "a") return null;
    return (call, signal) => heard("a", ofA.shift() ?? says("?"))(call, signal);
  };
  await using server = fakeServer({ ...wishes, stepOf });
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const { body } = await server.raw("GET", `${workspace}/events?client_id=me`);
  const ask = async (run_id: string): Promise<void> => {
    await server.ask("POST", `${workspace}/agent`, { session_id, run_id, prompt: `ask ${run_id}` });
  };

  const b = script("b");
  const seen: WireEvent[] = [];
  await ask("a");
  for await (const event of readEvents(body ?? none())) {
    seen.push(event);
    if (event.type === "run_complete" && event.runId === "c") break;
    if (event.type === "run_complete" && event.runId === "b") rest.open();
    if (event.type === "run_complete" && event.runId === "a") await ask("c");
    // A says the first half of its answer: now B comes and is cancelled before its turn.
    if (event.type === "message" && textOf(event.message) === "Hel") {
      await ask("b");
      await b.parked;
      await server.ask("POST", `${workspace}/runs/b/cancel`);
      b.unpark();
    }
  }

  const messages = seen.flatMap((event) => (event.type === "message" ? [event.message] : []));
  const last = new Map(messages.map((message) => [message.id, message]));
  const { body: history } = await server.ask("GET", `${workspace}/sessions/${session_id}/messages`);
  const stored = history as { id: string; role: string }[];
  // By turn, not by arrival: B's pair arrived while A's first message was open.
  expect(stored.map(({ id }) => brief(last.get(id as Message["id"]) as Message))).toEqual([
    "user ask a",
    "assistant Hello",
    "tool finish",
    "assistant done",
    "user ask b",
    "assistant finish",
    "user ask c",
    "assistant last",
  ]);
  const arrived = messages.map((message) => brief(message));
  expect(arrived.indexOf("user ask b")).toBeLessThan(arrived.indexOf("assistant Hello"));
  expect(asked["a"]?.at(-1)).toEqual(["user ask a", "assistant Hello", "tool finish"]);
  expect(asked["c"]?.[0]?.filter((one) => one.startsWith("user"))).toEqual([
    "user ask a",
    "user ask b",
    "user ask c",
  ]);
});
