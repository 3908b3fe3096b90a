import { expect, test } from "vitest";
import type { RunOutcome } from "../../src/protocol/run-record.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { gated, says } from "../support/fake-model.ts";
import { storageFailure, watchedStore } from "../support/watched-store.ts";

test("an outcome that could not be stored is stored as soon as it can be, without anybody asking", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("first"));
  let refuses = false;
  const stored = deferred();
  const one = house.move({
    steps: { one: [gate.step] },
    wrap: (store) =>
      watchedStore(store, ({ name }) => {
        if (refuses && name === "runs.settle") throw storageFailure();
        if (name === "runs.settle") stored.resolve();
      }),
  });
  const two = house.move();
  const session = one.session();
  const first = one.ask(session, "one").runId;
  await gate.entered;
  const second = two.ask(session, "two").runId;
  refuses = true;
  gate.open();
  expect((await one.ended(first)).failure?.reason).toBe("storage");
  expect(one.store.runs.open(session).length).toBe(2);
  refuses = false;
  await stored.promise;
  // The other process has waited behind it.
  expect(await two.ended(second)).toMatchObject({ text: "ok" });
  expect(one.store.runs.record(first)?.outcome?.reason).toBe("storage");
});

test("an outcome with a text that the store has no room for is stored late without it", async () => {
  await using house = dispatchHouse();
  let refusesAll = true;
  const stored = deferred();
  const one = house.move({
    steps: { one: [says("a long answer")] },
    wrap: (store) =>
      watchedStore(store, ({ name, values }) => {
        if (name !== "runs.settle") return;
        const { text } = values[1] as RunOutcome;
        if (refusesAll || text !== "") throw storageFailure();
        stored.resolve();
      }),
  });
  const { runId } = one.ask(one.session(), "one");
  expect((await one.ended(runId)).failure?.reason).toBe("storage");
  refusesAll = false;
  await stored.promise;
  expect(one.store.runs.record(runId)?.outcome).toMatchObject({ reason: "storage", text: "" });
});

test("a shutdown is the last chance of an outcome that could not be stored", async () => {
  await using house = dispatchHouse();
  let refuses = true;
  const one = house.move({
    wrap: (store) =>
      watchedStore(store, ({ name }) => {
        if (refuses && name === "runs.settle") throw storageFailure();
      }),
  });
  const { runId } = one.ask(one.session(), "one");
  await one.ended(runId);
  refuses = false;
  await one.dispatcher.shutdown();
  expect(one.store.runs.record(runId)).toMatchObject({
    state: "settled",
    outcome: { reason: "storage" },
  });
});

test("a title that cannot be read keeps no terminal event from being told", async () => {
  await using house = dispatchHouse();
  const one = house.move({
    wrap: (store) =>
      watchedStore(store, ({ name }) => {
        // What a prompt is accepted with reads it as well, in its transaction.
        if (name === "sessions.title" && store.runs.openSessions().length === 0 && settled)
          throw storageFailure();
      }),
    onEvent: ({ type }) => {
      settled ||= type === "step.completed";
    },
  });
  let settled = false;
  const { runId } = one.ask(one.session(), "one");
  expect(await one.ended(runId)).toMatchObject({ text: "ok", failure: null });
  expect(one.events).toContainEqual(
    expect.objectContaining({ type: "agent_notification", sessionTitle: "" }),
  );
});
