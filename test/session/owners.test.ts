import { expect, test } from "vitest";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import type { Dispatcher } from "../../src/session/dispatcher.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { gated, says, stalls } from "../support/fake-model.ts";

test("a prompt of another process waits for ours and runs after it, in its own process", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("first"));
  const one = house.move({ steps: { one: [gate.step] } });
  const two = house.move({ steps: { two: [says("second")] } });
  const session = one.session();
  const first = one.ask(session, "one").runId;
  await gate.entered;
  const second = two.ask(session, "two").runId;
  await two.seen((event) => event.type === "run.queued" && event.ahead === 1);
  expect(two.calls).toEqual([]);
  gate.open();
  await one.ended(first);
  expect(await two.ended(second)).toMatchObject({ text: "second", failure: null });
  expect(one.calls).toEqual(["one"]);
  expect(two.store.messages.list(session).map(textOf)).toEqual(["one", "first", "two", "second"]);
});

test("a run of another process can be cancelled by its id", async () => {
  await using house = dispatchHouse();
  const one = house.move({ steps: { one: [stalls({ type: "text", text: "so far" })] } });
  const two = house.move();
  const { runId } = one.ask(one.session(), "one");
  await one.seen(({ type }) => type === "text.delta");
  expect(two.dispatcher.cancelRun(runId, "by_client")).toBe(true);
  expect(await one.ended(runId)).toMatchObject({ cancelled: true, text: "so far" });
  expect(two.dispatcher.record(runId)).toMatchObject({ outcome: { reason: "by_client" } });
  expect(two.terminals(runId)).toEqual([]);
});

test("a prompt that waits in another process ends at once when its session is cancelled here", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("x"));
  const one = house.move({ steps: { one: [gate.step] } });
  const two = house.move();
  const session = one.session();
  const first = one.ask(session, "one").runId;
  await gate.entered;
  const waiting = two.ask(session, "two").runId;
  two.ask(session, "nobody waits", { runId: null });
  await two.seen((event) => event.type === "run.queued" && event.ahead === 2);
  one.dispatcher.cancelSession(session, "by_client");
  expect(await two.ended(waiting)).toMatchObject({ cancelled: true });
  expect((await one.ended(first)).cancelled).toBe(true);
  await two.seen(() => two.store.runs.open(session).length === 0);
  expect(two.events.filter(({ type }) => type === "agent_error")).toEqual([]);
  expect(two.terminals().length).toBe(1);
});

test("W-8: what a dead process left is interrupted by the next look, and its session goes on", async () => {
  await using house = dispatchHouse();
  const dead = house.move({ steps: { one: [stalls({ type: "text", text: "half" })] } });
  const session = dead.session();
  const running = dead.ask(session, "one").runId;
  const waiting = dead.ask(session, "two").runId;
  await dead.seen(({ type }) => type === "text.delta");
  dead.die();
  const heir = house.move();
  expect(heir.dispatcher.record(running)).toMatchObject({
    state: "settled",
    outcome: { reason: "interrupted", failure: { reason: "interrupted" } },
  });
  expect(heir.dispatcher.record(waiting)?.outcome?.reason).toBe("interrupted");
  expect(heir.interrupted).toEqual([running, waiting]);
  expect(await heir.ended(heir.ask(session, "three").runId)).toMatchObject({ text: "ok" });
  expect(heir.store.messages.list(session).map(textOf)).toEqual(["one", "half", "three", "ok"]);
});

test("a prompt that waits behind a process that dies starts without anybody's help", async () => {
  await using house = dispatchHouse();
  const dead = house.move({ steps: { one: [stalls()] } });
  const heir = house.move();
  const session = dead.session();
  const lost = dead.ask(session, "one").runId;
  await dead.seen(({ type }) => type === "step.started");
  const { runId } = heir.ask(session, "two");
  await heir.seen(({ type }) => type === "run.queued");
  dead.die();
  expect(await heir.ended(runId)).toMatchObject({ text: "ok" });
  expect(heir.terminals(lost)).toMatchObject([{ failure: { reason: "interrupted" } }]);
});

test.each<[string, (by: Dispatcher, session: SessionId, run: RunId) => unknown, unknown]>([
  ["it", (by, _session, run) => by.cancelRun(run, "by_client"), false],
  ["its session", (by, session) => by.cancelSession(session, "by_client").active > 0, false],
])(
  "a run whose process died is interrupted, not cancelled, by a cancel of %s",
  async (_what, cancel, expected) => {
    await using house = dispatchHouse();
    const dead = house.move({ steps: { one: [stalls()] } });
    const session = dead.session();
    const { runId } = dead.ask(session, "one");
    await dead.seen(({ type }) => type === "step.started");
    dead.die();
    const heir = house.move();
    expect(cancel(house.move().dispatcher, session, runId)).toBe(expected);
    expect(heir.dispatcher.record(runId)?.outcome?.reason).toBe("interrupted");
  },
);

test("the same prompt posted to another process attaches to the run, and hears of its end", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("once"));
  const one = house.move({ steps: { one: [gate.step] } });
  const two = house.move();
  const session = one.session();
  const { runId } = one.ask(session, "one");
  await gate.entered;
  expect(two.ask(session, "one", { runId })).toMatchObject({ attached: true, state: "active" });
  gate.open();
  expect(await two.ended(runId)).toMatchObject({ text: "once", failure: null });
  expect(two.calls).toEqual([]);
});

test("whoever attached to a run hears of the death of its process", async () => {
  await using house = dispatchHouse();
  const dead = house.move({ steps: { one: [stalls()] } });
  const two = house.move();
  const session = dead.session();
  const { runId } = dead.ask(session, "one");
  await dead.seen(({ type }) => type === "step.started");
  two.ask(session, "one", { runId });
  dead.die();
  expect((await two.ended(runId)).failure).toMatchObject({ reason: "interrupted" });
});

test("an outcome that somebody else recorded is the one that is told", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("late"));
  const one = house.move({ steps: { one: [gate.step] } });
  const session = one.session();
  const { runId, seq } = one.ask(session, "one");
  await gate.entered;
  const record = { ...(await outcomeOfAnother(house)), text: "theirs" };
  one.store.runs.settle(seq, record, 1);
  gate.open();
  expect(await one.ended(runId)).toMatchObject({ text: "theirs" });
  expect(one.dispatcher.record(runId)?.outcome?.text).toBe("theirs");
});

async function outcomeOfAnother(house: ReturnType<typeof dispatchHouse>) {
  const other = house.move();
  const { runId } = other.ask(other.session(), "x");
  await other.ended(runId);
  const outcome = other.dispatcher.record(runId)?.outcome ?? null;
  if (outcome === null) throw new Error("settled, and no outcome");
  return outcome;
}
