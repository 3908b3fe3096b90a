import { expect, test } from "vitest";
import { persistCancelledTurn } from "../../src/session/cancelled-turn.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";

test("PER-1, INV-30: a canceled turn without a user message gets both, the user's first", async () => {
  await using house = dispatchHouse();
  const gate = deferred();
  const owner = house.move({ hold: async () => await gate.promise });
  const session = owner.session();
  const { seq, runId } = owner.ask(session, "hi");
  expect(owner.store.messages.list(session)).toEqual([]);
  const wouldBe = { modelId: "one", providerId: "fake" };
  const written = owner.store.transaction(() =>
    persistCancelledTurn(owner.store, seq, wouldBe, 7000),
  );
  expect(owner.store.messages.list(session)).toEqual(written);
  expect(written).toMatchObject([
    { role: "user", parts: [{ type: "text", text: "hi" }, { type: "finish" }], createdAt: 7 },
    {
      role: "assistant",
      model: "one",
      provider: "fake",
      parts: [{ type: "finish", reason: "canceled", time: 7 }],
    },
  ]);
  gate.resolve();
  await owner.ended(runId);
});

test("PER-3, INV-31: both messages of a canceled turn land although its signal has fired long ago", async () => {
  await using house = dispatchHouse();
  const aborted = deferred();
  const owner = house.move({
    prepare: async (_request, signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      aborted.resolve();
      throw signal.reason;
    },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await new Promise((resolve) => setImmediate(resolve));
  owner.dispatcher.cancelSession(session, "by_client");
  await aborted.promise;
  expect((await owner.ended(runId)).cancelled).toBe(true);
  expect(owner.store.messages.list(session)).toMatchObject([
    { role: "user", parts: [{ text: "hi" }, {}] },
    { role: "assistant", parts: [{ type: "finish", reason: "canceled" }] },
  ]);
});
