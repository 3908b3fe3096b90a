import { expect, test } from "vitest";
import type { SessionId } from "../../src/protocol/ids.ts";
import { decide, type PromptEntry } from "../../src/session/decide.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { callsTools, gated, says, stalls } from "../support/fake-model.ts";
import { stored } from "../support/summarizing.ts";

const markOf = (owner: HouseOwner, session: SessionId): number | null =>
  owner.store.sessions.cancelMark(session)?.upTo ?? null;

const isLeftOpen = (owner: HouseOwner, session: SessionId) => ({
  open: owner.store.runs.open(session).length,
  mark: markOf(owner, session),
});

const ORDERS = ["ABC", "ACB", "BAC", "BCA", "CAB", "CBA"];

test.each(ORDERS)(
  "CAN-10, INV-12, INV-9: a cancel of A and B, C after it, decided in order %s",
  async (order) => {
    await using house = dispatchHouse();
    const gates = new Map(["A", "B", "C"].map((name) => [name, deferred()]));
    const owner = house.move({ hold: (prompt) => gates.get(prompt)?.promise });
    const session = owner.session();
    const a = owner.ask(session, "A");
    const b = owner.ask(session, "B");
    expect(owner.dispatcher.cancelSession(session, "by_client")).toMatchObject({ reserved: 2 });
    const c = owner.ask(session, "C");
    const runs = new Map([
      ["A", a],
      ["B", b],
      ["C", c],
    ]);
    const left = new Set<string>();
    for (const name of order) {
      const covered = left.has("A") && left.has("B");
      expect(markOf(owner, session), `before ${name}`).toBe(covered ? null : b.seq);
      gates.get(name)?.resolve();
      const run = runs.get(name);
      if (run === undefined) throw new Error(name);
      const waits = name === "C" && !covered;
      if (waits)
        await owner.seen((event) => event.type === "run.queued" && event.runId === run.runId);
      else await owner.ended(run.runId);
      left.add(name);
    }
    expect((await owner.ended(a.runId)).cancelled).toBe(true);
    expect((await owner.ended(b.runId)).cancelled).toBe(true);
    expect(await owner.ended(c.runId)).toMatchObject({
      cancelled: false,
      text: "ok",
      failure: null,
    });
    expect(owner.calls).toEqual(["C"]);
    expect(stored(owner, session).toSorted()).toEqual([
      "assistant canceled",
      "assistant canceled",
      "assistant end_turn",
      "user",
      "user",
      "user",
    ]);
    expect(isLeftOpen(owner, session)).toEqual({ open: 0, mark: null });
    expect(owner.terminals().length).toBe(3);
  },
);

test("CAN-14: a mark that is taken away covers nothing any more", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  owner.store.sessions.setCancelMark(session, { upTo: 99, reason: "by_client", by: null });
  expect(markOf(owner, session)).toBe(99);
  owner.store.sessions.setCancelMark(session, null);
  expect(markOf(owner, session)).toBeNull();
  expect(await owner.ended(owner.ask(session, "hi").runId)).toMatchObject({ cancelled: false });
});

test("CAN-14: a mark that nobody open is covered by goes before the next prompt is taken in", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  owner.store.sessions.setCancelMark(session, { upTo: 99, reason: "by_client", by: null });
  const { runId } = owner.ask(session, "hi");
  expect(markOf(owner, session)).toBeNull();
  expect(await owner.ended(runId)).toMatchObject({ cancelled: false });
});

test("CAN-15: a stale mark goes with the end of a turn, which is none of its business", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const owner = house.move({ steps: { two: [gate.step] } });
  const session = owner.session();
  const one = owner.ask(session, "one");
  await owner.ended(one.runId);
  const two = owner.ask(session, "two");
  await gate.entered;
  owner.store.sessions.setCancelMark(session, { upTo: one.seq, reason: "by_client", by: null });
  gate.open();
  expect(await owner.ended(two.runId)).toMatchObject({ cancelled: false, text: "done" });
  expect(isLeftOpen(owner, session)).toEqual({ open: 0, mark: null });
  expect(stored(owner, session).at(-1)).toBe("assistant end_turn");
});

test("CAN-16: the end of an uncovered prompt leaves the mark while a covered one is reserved", async () => {
  const entry = (seq: number, phase: PromptEntry["phase"]): PromptEntry => ({
    seq,
    phase,
    owner: "a",
    cancel: null,
    foldable: false,
  });
  const mark = { upTo: 2, reason: "by_client", by: null } as const;
  const three = { prompts: [entry(3, "active"), entry(2, "reserved")], mark };
  expect(decide(three, { type: "finish", seq: 3 }, "a")[0]).toEqual({
    prompts: [entry(2, "reserved")],
    mark,
  });

  await using house = dispatchHouse();
  const gate = deferred();
  const owner = house.move({ hold: (prompt) => (prompt === "covered" ? gate.promise : undefined) });
  const session = owner.session();
  const covered = owner.ask(session, "covered");
  owner.dispatcher.cancelSession(session, "by_client");
  const later = owner.ask(session, "later");
  await owner.seen((event) => event.type === "run.queued" && event.runId === later.runId);
  owner.dispatcher.cancelRun(later.runId, "reader_left");
  await owner.ended(later.runId);
  expect(isLeftOpen(owner, session)).toEqual({ open: 1, mark: covered.seq });
  gate.resolve();
  expect((await owner.ended(covered.runId)).failure).toMatchObject({ reason: "by_client" });
  expect(isLeftOpen(owner, session)).toEqual({ open: 0, mark: null });
});

test("CAN-23: a cancel right after the hand-off ends the next prompt before its turn has begun", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const hits: unknown[] = [];
  const owner: HouseOwner = house.move({
    steps: { one: [gate.step] },
    onEvent: (event) => {
      if (event.type === "run_complete" && hits.length === 0)
        hits.push(owner.dispatcher.cancelSession(event.sessionId, "by_client"));
    },
  });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await gate.entered;
  const two = owner.ask(session, "two").runId;
  await owner.seen(({ type }) => type === "run.queued");
  gate.open();
  expect(await owner.ended(two)).toMatchObject({ cancelled: true, text: "" });
  expect(hits).toEqual([{ active: 1, reserved: 0, queued: 0 }]);
  expect(owner.terminals(one)).toMatchObject([{ cancelled: false, text: "done" }]);
  expect(owner.calls).toEqual(["one"]);
  expect(stored(owner, session)).toEqual([
    "user",
    "assistant end_turn",
    "user",
    "assistant canceled",
  ]);
  expect(isLeftOpen(owner, session)).toEqual({ open: 0, mark: null });
});

test("CAN-24: a cancel between the end of a turn and its hand-off clears the queue, and leaves that end as it is", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const toSettle: (() => void)[] = [];
  const arrived = deferred();
  const owner = house.move({
    steps: { one: [gate.step] },
    soon: (work) => {
      toSettle.push(work);
      arrived.resolve();
    },
  });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await gate.entered;
  const two = owner.ask(session, "two").runId;
  owner.ask(session, "nobody waits", { runId: null });
  await owner.seen((event) => event.type === "run.queued" && event.ahead === 2);
  gate.open();
  await arrived.promise;
  expect(owner.terminals()).toEqual([]);
  expect(owner.dispatcher.cancelSession(session, "by_client")).toMatchObject({ queued: 2 });
  expect(owner.terminals()).toMatchObject([{ runId: two, cancelled: true }]);
  for (const work of toSettle) work();
  expect(await owner.ended(one)).toMatchObject({ cancelled: false, text: "done", failure: null });
  await owner.dispatcher.idle();
  expect(owner.calls).toEqual(["one"]);
  expect(owner.terminals().length).toBe(2);
  expect(isLeftOpen(owner, session)).toEqual({ open: 0, mark: null });
});

test("CAN-31: a mark covers an entry without a sequence", () => {
  const entry = (seq: number, phase: PromptEntry["phase"]): PromptEntry => ({
    seq,
    phase,
    owner: "a",
    cancel: null,
    foldable: true,
  });
  const mark = { upTo: 2, reason: "by_client", by: null } as const;
  const before = { prompts: [entry(3, "active"), entry(0, "queued")], mark };
  const [after, effects] = decide(before, { type: "drain", seq: 3 }, "a");
  expect(effects).toEqual([
    { type: "settle_cancelled", seq: 0, cancel: { reason: "by_client", by: null }, persist: false },
  ]);
  expect(after).toEqual({ prompts: [entry(3, "active")], mark: null });
});

test("CAN-32: a prompt that nobody waits for, submitted after the cancel, runs", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { one: [stalls()] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await owner.seen(({ type }) => type === "step.started");
  owner.dispatcher.cancelSession(session, "by_client");
  expect(markOf(owner, session)).not.toBeNull();
  owner.ask(session, "after", { runId: null });
  expect((await owner.ended(one)).cancelled).toBe(true);
  await owner.dispatcher.idle();
  expect(owner.calls).toEqual(["one", "after"]);
  expect(owner.terminals().at(-1)).toMatchObject({ runId: null, cancelled: false, text: "ok" });
});

test("CAN-32, INV-9: nor is it dropped by the drain of the turn that it joins", async () => {
  await using house = dispatchHouse();
  const first = gated(callsTools({ name: "none" }));
  const owner = house.move({ steps: { one: [first.step, says("done")] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await first.entered;
  owner.ask(session, "before", { runId: null });
  await owner.seen((event) => event.type === "run.queued" && event.ahead === 1);
  expect(owner.dispatcher.clearQueue(session)).toBe(1);
  owner.ask(session, "after", { runId: null });
  await new Promise((resolve) => setImmediate(resolve));
  first.open();
  expect(await owner.ended(one)).toMatchObject({ cancelled: false, text: "done" });
  const asked = owner.store.messages.list(session).filter(({ role }) => role === "user");
  expect(asked.map(({ parts }) => parts[0])).toMatchObject([{ text: "one" }, { text: "after" }]);
});
