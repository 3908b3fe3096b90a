import { expect, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { interruptedOutcome } from "../../src/session/outcome.ts";
import { QUEUE_LIMIT } from "../../src/session/take-prompt.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { stalls, type ModelStep } from "../support/fake-model.ts";

// What no other test would notice, as `npm run mutate` found.

test("a run that is posted again, while it runs and after its end, gets no second readiness, task or terminal", async () => {
  await using house = dispatchHouse();
  const gate = deferred();
  const readied: string[] = [];
  const hold = async (prompt: string): Promise<void> => {
    readied.push(prompt);
    await gate.promise;
  };
  const owner = house.move({ hold });
  const session = owner.session();
  const { runId, seq } = owner.ask(session, "once");
  const again = { seq, attached: true } as const;
  expect(owner.ask(session, "once", { runId })).toMatchObject({ ...again, state: "reserved" });
  expect(owner.dispatcher.inFlight()).toBe(1);
  gate.resolve();
  await owner.ended(runId);
  expect(owner.ask(session, "once", { runId })).toMatchObject({ ...again, state: "settled" });
  await owner.dispatcher.idle();
  expect(readied).toEqual(["once"]);
  expect(owner.terminals(runId).length).toBe(1);
});

test("a session holds so many open prompts and not one more", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { first: [stalls()] } });
  const session = owner.session();
  owner.ask(session, "first");
  for (let n = 1; n < QUEUE_LIMIT; n += 1) owner.ask(session, "more", { runId: null });
  expect(() => owner.ask(session, "too many")).toThrow(
    expect.objectContaining({
      failure: expect.objectContaining({ reason: "queue_full" }) as unknown,
    }) as Error,
  );
  expect(owner.store.runs.open(session).length).toBe(QUEUE_LIMIT);
});

test("a run that another process has settled, as it took ours for dead, does not go on here", async () => {
  await using house = dispatchHouse();
  const stopped = deferred<unknown>();
  const step: ModelStep = async function* goesOn(_call, signal) {
    yield { type: "text", text: "so far" };
    await orAborted(deferred<never>().promise, signal).catch(stopped.resolve);
  };
  const owner = house.move({ steps: { one: [step] } });
  const { runId, seq } = owner.ask(owner.session(), "one");
  await owner.seen(({ type }) => type === "text.delta");
  house.move().store.runs.settle(seq, interruptedOutcome(), 1);
  expect(await stopped.promise).toMatchObject({ failure: { reason: "interrupted" } });
  expect((await owner.ended(runId)).failure?.reason).toBe("interrupted");
});
