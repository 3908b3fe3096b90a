import { expect, test } from "vitest";
import { newRunId } from "../../src/protocol/ids.ts";
import type { Store } from "../../src/store/store.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { stalls } from "../support/fake-model.ts";
import { storageFailure } from "../support/watched-store.ts";

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

/** The file of this owner belongs to somebody else: nobody can say whether its process lives. */
const notTelling = (owner: HouseOwner) => (store: Store) => ({
  ...store,
  isAlive: (id: string): boolean => {
    if (id === owner.store.ownerId) throw storageFailure();
    return store.isAlive(id);
  },
});

test("a session that cannot be looked at keeps no other from its end", async () => {
  await using house = dispatchHouse();
  const strange = house.move({ steps: { one: [stalls()] } });
  const [lost] = await leavesRuns(strange, 1);
  const [found] = await leavesRuns(house.move({ steps: { one: [stalls()] } }), 1);
  const heir = house.move({ wrap: notTelling(strange) });
  heir.dispatcher.recover();
  expect(heir.dispatcher.recent(10)).toMatchObject([
    { runId: found, state: "settled" },
    { runId: lost, state: "active" },
  ]);
});

test("whoever waits for another process is served although a session beside it cannot be looked at", async () => {
  await using house = dispatchHouse();
  const strange = house.move({ steps: { one: [stalls()] } });
  const dying = house.move({ steps: { one: [stalls()] } });
  let blind = false;
  const heir = house.move({
    wrap: (store) => ({
      ...store,
      isAlive: (id) => (blind ? notTelling(strange)(store).isAlive(id) : store.isAlive(id)),
    }),
  });
  const [one, two] = [strange.ask(strange.session(), "one"), dying.ask(dying.session(), "one")];
  await strange.seen(({ type }) => type === "step.started");
  await dying.seen(({ type }) => type === "step.started");
  const behind = [one, two].map(({ runId }) => {
    const session = heir.store.runs.find(runId)?.sessionId ?? heir.session();
    return heir.ask(session, "behind").runId;
  });
  blind = true;
  dying.die();
  expect((await heir.ended(behind[1] ?? newRunId())).failure).toBeNull();
  expect(heir.terminals(behind[0])).toEqual([]);
});
