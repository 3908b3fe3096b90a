import { expect, test } from "vitest";
import { failure, RunFailed, type RunFailure } from "../../src/protocol/ending.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { gated, says } from "../support/fake-model.ts";
import { refusalOf } from "../support/refusal.ts";

const KIB = 1024;
const big = "x".repeat(400 * KIB);

const reasonOf = (what: RunFailure | null): string => what?.reason ?? "end_turn";

test("an answer that the store has no room for ends the run as storage, and the truth can be asked for", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { big: [says(big)] }, limitBytes: 256 * KIB });
  const session = owner.session();
  const { runId } = owner.ask(session, "big");
  const terminal = await owner.ended(runId);
  expect(reasonOf(terminal.failure)).toBe("storage");
  expect(terminal.failure?.remedy).toContain("--data-dir");
  expect(owner.dispatcher.record(runId)).toMatchObject({
    state: "settled",
    outcome: { reason: "storage" },
  });
  expect(owner.terminals(runId).length).toBe(1);
});

test("RUN-18: after a run that could not be stored, its session takes the next one", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { big: [says(big)] }, limitBytes: 256 * KIB });
  const session = owner.session();
  const first = owner.ask(session, "big").runId;
  const second = owner.ask(session, "small").runId;
  expect(reasonOf((await owner.ended(first)).failure)).toBe("storage");
  expect(reasonOf((await owner.ended(second)).failure)).toBe("end_turn");
});

test("a prompt that does not fit is refused, and leaves no trace", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ limitBytes: 256 * KIB });
  const session = owner.session();
  expect(refusalOf(() => owner.ask(session, big))).toBe("storage");
  expect(owner.events).toEqual([]);
  expect(owner.store.runs.recent(10)).toEqual([]);
  expect(reasonOf((await owner.ended(owner.ask(session, "small").runId)).failure)).toBe("end_turn");
});

test("an outcome that cannot be stored at all is told, and is stored when there is room again", async () => {
  await using house = dispatchHouse();
  let full = false;
  const gate = gated(says("lost"));
  const owner = house.move({
    steps: { one: [gate.step] },
    wrap: (store) => ({
      ...store,
      runs: {
        ...store.runs,
        settle: (...settlement) => {
          if (full) throw new RunFailed(failure("storage", "the disk is full"));
          return store.runs.settle(...settlement);
        },
      },
    }),
  });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await gate.entered;
  const two = owner.ask(session, "two").runId;
  await owner.seen(({ type }) => type === "run.queued");
  full = true;
  gate.open();
  expect(await owner.ended(one)).toMatchObject({ text: "lost", failure: { reason: "storage" } });
  expect(owner.dispatcher.record(one)).toMatchObject({
    state: "settled",
    outcome: { reason: "storage", text: "lost", partial: true },
  });
  expect(owner.store.runs.record(one)?.state).toBe("active");
  expect(owner.ask(session, "one", { runId: one })).toMatchObject({
    attached: true,
    state: "settled",
  });
  full = false;
  await owner.ended(two);
  expect(owner.store.runs.record(one)).toMatchObject({ outcome: { text: "lost" } });
  expect(owner.terminals(one).length).toBe(1);
});
