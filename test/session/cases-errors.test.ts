import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import type { RunId } from "../../src/protocol/ids.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { fails, fakeModel, gated, says, type ModelStep } from "../support/fake-model.ts";
import { turnSetup } from "../support/turn-setup.ts";
import { storageFailure, watchedStore } from "../support/watched-store.ts";

const errors = (owner: HouseOwner): unknown[] =>
  owner.events.flatMap((event) => (event.type === "agent_error" ? [event.runId] : []));

const CANCELLATIONS: [string, () => unknown][] = [
  ["is", () => new RunAborted("by_client")],
  ["wraps", () => new Error("readiness failed", { cause: new RunAborted("by_client") })],
  [
    "wraps what wraps",
    () => new Error("a", { cause: new TypeError("b", { cause: new RunAborted("by_client") }) }),
  ],
];

test.each(CANCELLATIONS)(
  "ERR-3, ERR-4, ERR-9, W-15: an error that %s a cancellation is one cancelled terminal, and no error",
  async (_how, cancellation) => {
    await using house = dispatchHouse();
    const owner = house.move({
      prepare: async () => {
        throw cancellation();
      },
    });
    const { runId } = owner.ask(owner.session(), "hi");
    await owner.ended(runId);
    await owner.dispatcher.idle();
    expect(owner.terminals(runId)).toMatchObject([
      { cancelled: true, failure: { reason: "by_client" } },
    ]);
    expect(errors(owner)).toEqual([]);
  },
);

test("ERR-9: an error whose cause is itself is a bug like any other", async () => {
  await using house = dispatchHouse();
  const owner = house.move({
    prepare: async () => {
      const error = new Error("round and round");
      error.cause = error;
      throw error;
    },
  });
  const { runId } = owner.ask(owner.session(), "hi");
  expect(await owner.ended(runId)).toMatchObject({
    cancelled: false,
    failure: { reason: "internal", message: "Error: round and round" },
  });
});

test.each(["in its turn", "before it"])(
  "ERR-7: a run that fails %s is told by its terminal and by an error event, once each",
  async (when) => {
    await using house = dispatchHouse();
    const owner = house.move({
      prepare: async () => {
        if (when === "before it") throw new RunFailed(failure("auth_missing", "no key"));
        return turnSetup(fakeModel(fails()));
      },
    });
    const session = owner.session();
    const { runId } = owner.ask(session, "hi");
    await owner.ended(runId);
    await owner.dispatcher.idle();
    expect(owner.terminals(runId)).toMatchObject([{ cancelled: false }]);
    const reason = when === "before it" ? "auth_missing" : "provider_error";
    expect(owner.terminals(runId)[0]?.failure).toMatchObject({ reason });
    expect(errors(owner)).toEqual([runId]);
  },
);

test("ERR-12: a run whose session cannot be read gives its slot back, with an errored terminal, and the next one works", async () => {
  await using house = dispatchHouse();
  let broken = true;
  const owner = house.move({
    wrap: (store) =>
      watchedStore(store, ({ name }) => {
        if (!broken || name !== "messages.listUpTo") return;
        broken = false;
        throw storageFailure();
      }),
  });
  const session = owner.session();
  const bad = owner.ask(session, "bad").runId;
  expect(await owner.ended(bad)).toMatchObject({
    cancelled: false,
    failure: { reason: "storage", message: "the disk is full" },
  });
  expect(owner.dispatcher.isBusy(session)).toBe(false);
  expect(owner.store.runs.open(session)).toEqual([]);
  expect(errors(owner)).toEqual([bad]);
  const good = owner.ask(session, "good").runId;
  expect(await owner.ended(good)).toMatchObject({ failure: null, text: "ok" });
});

test("ERR-19, INV-33, W-13: an error of a handed-off turn names its own run, never the one before it", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const owner = house.move({ steps: { one: [gate.step], two: [fails()] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await gate.entered;
  const two = owner.ask(session, "two").runId;
  await owner.seen(({ type }) => type === "run.queued");
  gate.open();
  await owner.ended(two);
  await owner.dispatcher.idle();
  expect(owner.terminals(one)).toMatchObject([{ failure: null, text: "done" }]);
  expect(owner.terminals(two)).toMatchObject([{ failure: { reason: "provider_error" } }]);
  expect(errors(owner)).toEqual([two satisfies RunId]);
});

const BUGS: [string, unknown, string][] = [
  ["an error", new TypeError("oops"), "TypeError: oops"],
  ["no error at all", "just text", "just text"],
  ["nothing", undefined, "undefined"],
];

test.each(BUGS)(
  "RUN-18, W-30: a turn that throws %s has one errored terminal, its slot is free, and the next one runs",
  async (_what, thrown, message) => {
    await using house = dispatchHouse();
    const buggy: ModelStep = () => {
      throw thrown;
    };
    const owner = house.move({ steps: { bad: [buggy] } });
    const session = owner.session();
    const bad = owner.ask(session, "bad").runId;
    const good = owner.ask(session, "good").runId;
    expect((await owner.ended(good)).failure).toBeNull();
    expect(owner.terminals(bad)).toMatchObject([
      { cancelled: false, failure: { reason: "internal", message } },
    ]);
    expect(owner.store.runs.open(session)).toEqual([]);
  },
);
