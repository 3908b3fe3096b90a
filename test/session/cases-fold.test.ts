import { expect, test } from "vitest";
import type { SessionId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { callsTools, gated, says } from "../support/fake-model.ts";
import { storageFailure, watchedStore } from "../support/watched-store.ts";

const waiting = (owner: HouseOwner, session: SessionId): string[] =>
  owner.dispatcher.queued(session).map(({ prompt }) => prompt);

const queuedAs = async (owner: HouseOwner, ahead: number): Promise<void> =>
  await owner.seen((event) => event.type === "run.queued" && event.ahead === ahead);

const asked = (owner: HouseOwner, session: SessionId): string[] =>
  owner.store.messages.list(session).flatMap((one) => (one.role === "user" ? [textOf(one)] : []));

const looks = callsTools({ name: "look" });

test("QUE-9: a follow-up that is cancelled in the queue does not join the turn, which goes on", async () => {
  await using house = dispatchHouse();
  const first = gated(looks);
  const owner = house.move({ steps: { main: [first.step, says("done")] } });
  const session = owner.session();
  const main = owner.ask(session, "main").runId;
  await first.entered;
  const { seq } = owner.ask(session, "follow-up", { runId: null });
  await queuedAs(owner, 1);
  // As another process leaves word: the drain must see it, whoever else has not yet.
  owner.store.runs.requestCancel(seq, { reason: "by_client", by: null });
  first.open();
  expect(await owner.ended(main)).toMatchObject({ cancelled: false, text: "done", failure: null });
  await owner.dispatcher.idle();
  expect(asked(owner, session)).toEqual(["main"]);
  expect(waiting(owner, session)).toEqual([]);
  expect(owner.store.sessions.cancelMark(session)).toBeNull();
  expect(owner.terminals().length).toBe(1);
});

test("QUE-21: a prompt without a RunID overtakes one with a RunID by joining the turn", async () => {
  await using house = dispatchHouse();
  const first = gated(looks);
  const owner = house.move({ steps: { main: [first.step, says("done")] } });
  const session = owner.session();
  owner.ask(session, "main");
  await first.entered;
  const named = owner.ask(session, "run-a").runId;
  owner.ask(session, "joins", { runId: null });
  await queuedAs(owner, 2);
  first.open();
  await owner.ended(named);
  expect(asked(owner, session)).toEqual(["main", "joins", "run-a"]);
  expect(owner.calls).toEqual(["main", "main", "run-a"]);
});

test("INV-20, RUN-17: what has a RunID, or options of its own, does not join; what joins has an end and no terminal", async () => {
  await using house = dispatchHouse();
  const first = gated(looks);
  const owner = house.move({ steps: { main: [first.step, says("done")] } });
  const session = owner.session();
  const main = owner.ask(session, "main").runId;
  await first.entered;
  const joins = owner.ask(session, "joins", { runId: null });
  owner.ask(session, "wants its own", { runId: null, options: { retries: 3 } });
  await queuedAs(owner, 2);
  first.open();
  await owner.dispatcher.idle();
  expect(owner.calls).toEqual(["main", "main", "wants its own"]);
  expect(asked(owner, session)).toEqual(["main", "joins", "wants its own"]);
  expect(owner.store.runs.outcome(joins.seq)).toMatchObject({
    reason: "end_turn",
    text: "",
    turns: 0,
  });
  expect(owner.terminals().map(({ runId }) => runId)).toEqual([main, null]);
});

test("a prompt joins only a turn of the process that accepted it", async () => {
  await using house = dispatchHouse();
  const first = gated(looks);
  const [here, there] = [house.move({ steps: { main: [first.step, says("done")] } }), house.move()];
  const session = here.session();
  const main = here.ask(session, "main").runId;
  await first.entered;
  there.ask(session, "elsewhere", { runId: null });
  await queuedAs(there, 1);
  first.open();
  await here.ended(main);
  await there.dispatcher.idle();
  expect([here.calls, there.calls]).toEqual([["main", "main"], ["elsewhere"]]);
  expect(there.terminals()).toMatchObject([{ runId: null, text: "ok" }]);
});

test("QUE-24: follow-ups of which one cannot be stored are not lost", async () => {
  await using house = dispatchHouse();
  const first = gated(looks);
  let failing = false;
  const owner = house.move({
    steps: { main: [first.step, says("done")] },
    wrap: (store) =>
      watchedStore(store, ({ name, values }) => {
        const [message] = values as [{ readonly role?: string } | undefined];
        if (!failing || name !== "messages.insert" || message?.role !== "user") return;
        failing = false;
        throw storageFailure();
      }),
  });
  const session = owner.session();
  const main = owner.ask(session, "main").runId;
  await first.entered;
  const follow = ["f1", "f2"].map((prompt) => owner.ask(session, prompt, { runId: null }).seq);
  await queuedAs(owner, 2);
  failing = true;
  first.open();
  expect(await owner.ended(main)).toMatchObject({ failure: { reason: "storage" } });
  await owner.dispatcher.idle();
  expect(asked(owner, session).toSorted()).toEqual(["f1", "f2", "main"]);
  for (const seq of follow) expect(owner.store.runs.outcome(seq)?.reason).toBe("end_turn");
});
