import { expect, test } from "vitest";
import type { RunId } from "../../src/protocol/ids.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { fails, fakeModel, gated, says, stalls } from "../support/fake-model.ts";
import { sharing, stored } from "../support/summarizing.ts";
import { visibility } from "../support/visibility.ts";
import { storageFailure, watchedStore } from "../support/watched-store.ts";

const finished = (owner: HouseOwner): number =>
  owner.events.filter((event) => event.type === "agent_notification").length;

const errors = (owner: HouseOwner): unknown[] =>
  owner.events.filter(({ type }) => type === "agent_error");

test("RUN-4: a cancel on entry is told as cancelled, without message, text and error", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  owner.dispatcher.cancelSession(session, "by_client", "me");
  expect(await owner.ended(runId)).toMatchObject({
    runId,
    sessionId: session,
    cancelled: true,
    cancelledBy: "me",
    messageId: null,
    text: "",
    failure: { reason: "by_client", message: "the run was cancelled by a client" },
  });
  expect(errors(owner)).toEqual([]);
});

test("RUN-5, INV-15: a cancel on entry that cannot be stored is cancelled all the same, and says what went wrong", async () => {
  await using house = dispatchHouse();
  let full = false;
  const ready = deferred();
  const owner = house.move({
    hold: async () => await ready.promise,
    wrap: (store) =>
      watchedStore(store, ({ name }) => {
        if (full && (name === "messages.insert" || name === "runs.settle")) throw storageFailure();
      }),
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  owner.dispatcher.cancelSession(session, "by_client");
  full = true;
  ready.resolve();
  const told = {
    cancelled: true,
    messageId: null,
    text: "",
    failure: {
      reason: "by_client",
      message: expect.stringContaining("the disk is full") as string,
    },
  };
  expect(await owner.ended(runId)).toMatchObject(told);
  expect(owner.dispatcher.record(runId)?.outcome).toMatchObject({
    reason: "by_client",
    failure: told.failure,
  });
  full = false;
  await owner.dispatcher.idle();
  expect(owner.terminals(runId).length).toBe(1);
  expect(errors(owner)).toEqual([]);
  expect((await owner.ended(owner.ask(session, "next").runId)).failure).toBeNull();
  expect(owner.store.runs.record(runId)).toMatchObject({ state: "settled" });
});

test("RUN-8: every end is told to whoever it concerns, in one way: a summary's to its caller only, a prompt's to all", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(says("an answer"), says("a summary"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await owner.ended(runId);
  const before = owner.terminals().length;
  const outcome = await owner.dispatcher.summarize(session);
  await owner.dispatcher.idle();
  expect(outcome.reason).toBe("end_turn");
  expect([before, owner.terminals().length]).toEqual([1, 1]);
});

test("RUN-12: of what is no run nothing can be recorded, and nothing was", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const { runId, seq } = owner.ask(owner.session(), "hi");
  await owner.ended(runId);
  const outcome = owner.store.runs.outcome(seq);
  if (outcome === null) throw new Error("it has ended");
  const nobody = 4711;
  expect(owner.store.runs.settle(nobody, outcome, 1)).toBe(false);
  expect(owner.store.runs.outcome(nobody)).toBeNull();
  expect(owner.dispatcher.record("" as RunId)).toBeNull();
  // And of what is one, once.
  expect(owner.store.runs.settle(seq, outcome, 1)).toBe(false);
});

test("RUN-24, INV-36: a successful turn is told as finished once, with the slot free by then", async () => {
  await using house = dispatchHouse();
  const busy: boolean[] = [];
  const owner: HouseOwner = house.move({
    onEvent: (event) => {
      if (event.type === "agent_notification" && event.sessionId !== null)
        busy.push(owner.dispatcher.isBusy(event.sessionId));
    },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await owner.ended(runId);
  await owner.dispatcher.idle();
  expect(busy).toEqual([false]);
  expect(owner.events.filter(({ type }) => type === "agent_notification")).toEqual([
    {
      type: "agent_notification",
      kind: "agent_finished",
      runId: null,
      sessionId: session,
      sessionTitle: "t",
      providerId: null,
    },
  ]);
});

test("RUN-24: what fails, is cancelled or joins another turn is not told as finished; each turn that succeeds is", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { bad: [fails()], slow: [stalls()] } });
  const session = owner.session();
  await owner.ended(owner.ask(session, "bad").runId);
  const slow = owner.ask(session, "slow").runId;
  await owner.seen((event) => event.type === "step.started" && event.runId === slow);
  owner.ask(session, "queued");
  owner.dispatcher.cancelSession(session, "by_client");
  await owner.ended(slow);
  const entry = owner.ask(session, "on entry").runId;
  owner.dispatcher.cancelSession(session, "by_client");
  await owner.ended(entry);
  await owner.dispatcher.idle();
  expect(finished(owner)).toBe(0);
  for (const prompt of ["one", "two"]) await owner.ended(owner.ask(session, prompt).runId);
  expect(finished(owner)).toBe(2);
});

test("RUN-24: a summary of its own is not told as finished", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ prepare: sharing(fakeModel(says("an answer"), says("a summary"))) });
  const session = owner.session();
  await owner.ended(owner.ask(session, "hi").runId);
  await owner.dispatcher.summarize(session);
  await owner.dispatcher.idle();
  expect(stored(owner, session).at(-1)).toContain("summary");
  expect(finished(owner)).toBe(1);
});

test("RUN-25, INV-23: nothing is told from within a decision: cancel, hand-off, clear, drop, failure", async () => {
  await using house = dispatchHouse();
  const watched = visibility();
  const told: string[] = [];
  const gates = [gated(says("1")), gated(stalls())];
  const owner = house.move({
    wrap: watched.wrap,
    steps: {
      one: gates.slice(0, 1).map(({ step }) => step),
      two: gates.slice(1).map(({ step }) => step),
      bad: [fails()],
    },
    onEvent: (event) => told.push(`${event.type}${watched.inside() ? " inside" : ""}`),
  });
  const session = owner.session();
  owner.ask(session, "one");
  await gates[0]?.entered;
  owner.ask(session, "cleared");
  await owner.seen(({ type }) => type === "run.queued");
  owner.dispatcher.clearQueue(session);
  const two = owner.ask(session, "two").runId;
  gates[0]?.open();
  await gates[1]?.entered;
  owner.ask(session, "dropped");
  await owner.seen((event) => event.type === "run.started" && event.runId === two);
  await new Promise((resolve) => setImmediate(resolve));
  owner.dispatcher.cancelSession(session, "by_client");
  await owner.ended(two);
  await owner.ended(owner.ask(session, "bad").runId);
  await owner.dispatcher.idle();
  expect(told.filter((type) => type === "run_complete").length).toBe(5);
  expect(told.filter((type) => type.endsWith("inside"))).toEqual([]);
});
