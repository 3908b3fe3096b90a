import { expect, test } from "vitest";
import type { SessionId } from "../../src/protocol/ids.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { gated, says } from "../support/fake-model.ts";

test("QUE-18: clear-queue drops what waits with a terminal per run id, and the active run goes on", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const owner = house.move({ steps: { active: [gate.step] } });
  const session = owner.session();
  const active = owner.ask(session, "active");
  await gate.entered;
  const named = owner.ask(session, "named");
  owner.ask(session, "nameless", { runId: null });
  await owner.seen((event) => event.type === "run.queued" && event.ahead === 2);

  expect(owner.dispatcher.clearQueue(session)).toBe(2);
  expect(owner.dispatcher.queued(session)).toEqual([]);
  expect(await owner.ended(named.runId)).toMatchObject({ cancelled: true, messageId: null });
  expect(owner.store.sessions.cancelMark(session)).toBeNull();
  gate.open();
  expect(await owner.ended(active.runId)).toMatchObject({ cancelled: false, text: "done" });
  expect(owner.calls).toEqual(["active"]);
  // The nameless one ends without a word (RUN-17).
  expect(owner.terminals().map(({ runId }) => runId)).toEqual([named.runId, active.runId]);
});

test("QUE-19: clear-queue of an empty queue does nothing, not even to the active run", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const owner = house.move({ steps: { active: [gate.step] } });
  const session = owner.session();
  expect(owner.dispatcher.clearQueue(session)).toBe(0);
  const { runId } = owner.ask(session, "active");
  await gate.entered;
  const before = owner.events.length;
  expect(owner.dispatcher.clearQueue(session)).toBe(0);
  expect(owner.events).toHaveLength(before);
  gate.open();
  expect(await owner.ended(runId)).toMatchObject({ cancelled: false });
});

test("QUE-20: the queue is told in its order, and an unknown session has none", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const owner = house.move({ steps: { active: [gate.step] } });
  const session = owner.session();
  owner.ask(session, "active");
  await gate.entered;
  const waiting = ["one", "two", "three"].map((prompt) => owner.ask(session, prompt).runId);
  await owner.seen((event) => event.type === "run.queued" && event.ahead === 3);
  const told = owner.dispatcher.queued(session).map(({ prompt }) => prompt);
  expect(told).toEqual(["one", "two", "three"]);
  expect(owner.dispatcher.queued("nobody" as SessionId)).toEqual([]);
  gate.open();
  for (const runId of waiting) await owner.ended(runId);
});
