import { expect, test } from "vitest";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { stalls } from "../support/fake-model.ts";

const leavesRuns = async (owner: HouseOwner, sessions: number) => {
  const runs = Array.from({ length: sessions }, () => owner.ask(owner.session(), "one").runId);
  for (const runId of runs)
    await owner.seen((event) => event.type === "step.started" && event.runId === runId);
  owner.die();
  return runs;
};

test("W-8: what a dead process left open in any session is settled by whoever comes next", async () => {
  await using house = dispatchHouse();
  const runs = await leavesRuns(house.move({ steps: { one: [stalls()] } }), 3);
  const heir = house.move();
  heir.dispatcher.recover();
  expect(heir.store.runs.openSessions()).toEqual([]);
  for (const runId of runs) {
    expect(heir.terminals(runId)).toMatchObject([{ failure: { reason: "interrupted" } }]);
    expect(heir.store.runs.record(runId)?.outcome?.reason).toBe("interrupted");
  }
  expect(heir.interrupted.toSorted()).toEqual(runs.toSorted());
  heir.dispatcher.recover();
  expect(heir.terminals().length).toBe(runs.length);
});

test("a list of the runs shows none of a dead process as running", async () => {
  await using house = dispatchHouse();
  const [runId] = await leavesRuns(house.move({ steps: { one: [stalls()] } }), 1);
  expect(house.move().dispatcher.recent(10)).toMatchObject([
    { runId, state: "settled", outcome: { reason: "interrupted" } },
  ]);
});

test("what a living process runs is nobody else's to settle", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { one: [stalls()] } });
  const { runId } = owner.ask(owner.session(), "one");
  await owner.seen((event) => event.type === "step.started");
  const other = house.move();
  other.dispatcher.recover();
  expect(other.dispatcher.recent(10)).toMatchObject([{ runId, state: "active", outcome: null }]);
});
