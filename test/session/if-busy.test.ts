import { expect, test } from "vitest";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { stalls } from "../support/fake-model.ts";
import { refusalOf } from "../support/refusal.ts";

const options = { ifBusy: "fail" } as const;

test("a prompt that shall not wait is refused while the session has an open one, and leaves nothing", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { first: [stalls()] } });
  const [session, other] = [owner.session(), owner.session()];
  const first = owner.ask(session, "first");
  expect(refusalOf(() => owner.ask(session, "second", { options }))).toBe("session_busy");
  expect(owner.store.runs.open(session).map(({ seq }) => seq)).toEqual([first.seq]);
  expect(owner.dispatcher.recent(10).length).toBe(1);
  expect(owner.store.messages.list(session).length).toBeLessThanOrEqual(1);
  const elsewhere = owner.ask(other, "second", { options });
  expect((await owner.ended(elsewhere.runId)).failure).toBeNull();
});

test("it is refused for the open prompt of another process as well, and taken when that one is dead", async () => {
  await using house = dispatchHouse();
  const [one, two] = [house.move({ steps: { first: [stalls()] } }), house.move()];
  const session = one.session();
  one.ask(session, "first");
  expect(refusalOf(() => two.ask(session, "second", { options }))).toBe("session_busy");
  one.die();
  const { runId } = two.ask(session, "second", { options });
  expect((await two.ended(runId)).failure).toBeNull();
});

test("whoever asks again for a run that is open attaches to it: it waits for nobody else", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { first: [stalls()] } });
  const session = owner.session();
  const { runId } = owner.ask(session, "first", { options });
  expect(owner.ask(session, "first", { options, runId }).attached).toBe(true);
});
