import { expect, test } from "vitest";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import type { StepPart } from "../../src/provider/language-model.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { fails, finish, gated, says, stalls, type ModelStep } from "../support/fake-model.ts";
import { stored } from "../support/summarizing.ts";
import { visibility } from "../support/visibility.ts";

const queuedAs = async (owner: HouseOwner, ahead: number): Promise<void> =>
  await owner.seen((event) => event.type === "run.queued" && event.ahead === ahead);

const asked = (owner: HouseOwner, session: SessionId): string[] =>
  owner.store.messages.list(session).flatMap((one) => (one.role === "user" ? [textOf(one)] : []));

test("QUE-1, QUE-2, QUE-3: a prompt that finds its session busy waits, whole, and nothing is told of an end", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const owner = house.move({ steps: { active: [gate.step] } });
  const session = owner.session();
  const active = owner.ask(session, "active").runId;
  await gate.entered;
  const attachments = [{ path: "a.txt", name: "a.txt", mimeType: "text/plain", content: "YQ==" }];
  const wishes = { attachments, clientId: "client", options: { retries: 3 } };
  const { seq, runId, state } = owner.ask(session, "queued", wishes);
  expect(state).toBe("reserved");
  await queuedAs(owner, 1);
  expect(owner.dispatcher.queued(session)).toMatchObject([
    { seq, runId, sessionId: session, prompt: "queued", state: "queued", ...wishes },
  ]);
  const told = owner.events.filter((event) => "runId" in event && event.runId === runId);
  expect(told.map(({ type }) => type)).toEqual(["run.queued"]);
  expect(owner.dispatcher.record(runId)).toMatchObject({ state: "queued", outcome: null });
  gate.open();
  for (const run of [active, runId]) await owner.ended(run);
});

test("QUE-11: a queued run has its own turn, answer and terminal event", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("main said"));
  const owner = house.move({ steps: { main: [gate.step], follow: [says("follow said")] } });
  const session = owner.session();
  const main = owner.ask(session, "main").runId;
  await gate.entered;
  const follow = owner.ask(session, "follow").runId;
  await queuedAs(owner, 1);
  gate.open();
  await owner.ended(follow);
  const [, answer, , second] = owner.store.messages.list(session);
  const plain = { cancelled: false, failure: null };
  expect(owner.terminals(main)).toMatchObject([
    { text: "main said", messageId: answer?.id, ...plain },
  ]);
  expect(owner.terminals(follow)).toMatchObject([
    { text: "follow said", messageId: second?.id, ...plain },
  ]);
  expect(stored(owner, session)).toEqual([
    "user",
    "assistant end_turn",
    "user",
    "assistant end_turn",
  ]);
});

test("QUE-12: at a hand-off what is covered is gone, with a terminal per RunID, and what came later runs", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { active: [stalls()] } });
  const session = owner.session();
  const active = owner.ask(session, "active").runId;
  await owner.seen(({ type }) => type === "step.started");
  const covered = owner.ask(session, "covered").runId;
  owner.ask(session, "nameless", { runId: null });
  await queuedAs(owner, 2);
  owner.dispatcher.cancelSession(session, "by_client");
  const later = owner.ask(session, "later").runId;
  const last = owner.ask(session, "last").runId;
  for (const run of [active, later, last]) await owner.ended(run);
  expect(owner.calls).toEqual(["active", "later", "last"]);
  expect(owner.terminals().map(({ runId, cancelled }) => [runId, cancelled])).toEqual([
    [covered, true],
    [active, true],
    [later, false],
    [last, false],
  ]);
  expect(asked(owner, session)).toEqual(["active", "later", "last"]);
});

test("QUE-13, INV-11: a hand-off is one commit; at no instant is the next prompt nowhere, or the slot empty", async () => {
  await using house = dispatchHouse();
  const watched = visibility();
  const gate = gated(says("done"));
  const owner = house.move({ wrap: watched.wrap, steps: { one: [gate.step] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await gate.entered;
  const two = owner.ask(session, "two").runId;
  await queuedAs(owner, 1);
  gate.open();
  for (const run of [one, two]) await owner.ended(run);
  expect(watched.seen.get(2)).toEqual(["reserved", "queued", "active", "settled"]);
  const after = watched.commits.filter(([first]) => first === "1 settled");
  expect(after[0]).toEqual(["1 settled", "2 active"]);
});

test("QUE-26, INV-8, W-12: the end of a run is told before the long one behind it has ended", async () => {
  await using house = dispatchHouse();
  const long = gated(says("at last"));
  const owner = house.move({ steps: { B: [long.step] } });
  const session = owner.session();
  const a = owner.ask(session, "A").runId;
  const b = owner.ask(session, "B").runId;
  await long.entered;
  expect(owner.terminals()).toMatchObject([{ runId: a, text: "ok" }]);
  long.open();
  expect(await owner.ended(b)).toMatchObject({ text: "at last" });
});

test("QUE-28: what is accepted when the slot has just become free waits behind what waited already", async () => {
  await using house = dispatchHouse();
  let third: RunId | null = null;
  const owner: HouseOwner = house.move({
    onEvent: (event) => {
      if (event.type === "run_complete") third ??= owner.ask(event.sessionId, "C").runId;
    },
  });
  const session = owner.session();
  const runs = ["A", "B"].map((prompt) => owner.ask(session, prompt).runId);
  for (const run of runs) await owner.ended(run);
  await owner.ended(third ?? ("" as RunId));
  expect(owner.terminals().map(({ runId }) => runId)).toEqual([...runs, third]);
  expect(stored(owner, session).join()).toBe(
    Array.from({ length: 3 }, () => "user,assistant end_turn").join(),
  );
});

test("QUE-29, INV-18: the late end of a run that was left behind does not touch the run that has the slot now", async () => {
  await using house = dispatchHouse();
  const late = deferred();
  const ended = deferred();
  const stubborn: ModelStep = async function* ignoring() {
    try {
      await late.promise;
      yield finish();
    } finally {
      ended.resolve();
    }
  };
  const owner = house.move({ steps: { old: [stubborn], new: [stalls()] } });
  const session = owner.session();
  const old = owner.ask(session, "old", { options: { killAfterMs: 1 } }).runId;
  const next = owner.ask(session, "new").runId;
  await owner.seen((event) => event.type === "step.started" && event.runId === old);
  owner.dispatcher.cancelRun(old, "by_client");
  await owner.seen((event) => event.type === "step.started" && event.runId === next);
  late.resolve();
  await ended.promise;
  await new Promise((resolve) => setImmediate(resolve));
  expect(owner.dispatcher.isBusy(session)).toBe(true);
  expect(owner.dispatcher.cancelSession(session, "by_client")).toMatchObject({ active: 1 });
  expect((await owner.ended(next)).cancelled).toBe(true);
  expect(owner.terminals(old).length).toBe(1);
});

test("QUE-30, INV-17: eight prompts at once: never two model calls at a time, and none is lost", async () => {
  await using house = dispatchHouse();
  let [now, most] = [0, 0];
  const counted: ModelStep = async function* counting(_call, signal): AsyncGenerator<StepPart> {
    now += 1;
    most = Math.max(most, now);
    await orAborted(new Promise((resolve) => setImmediate(resolve)), signal);
    now -= 1;
    yield* says("ok")(_call, signal);
  };
  const names = Array.from({ length: 8 }, (_, n) => `p${n}`);
  const owner = house.move({ steps: Object.fromEntries(names.map((name) => [name, [counted]])) });
  const session = owner.session();
  for (const name of names) owner.ask(session, name, { runId: null });
  await owner.dispatcher.idle();
  expect(most).toBe(1);
  expect(asked(owner, session)).toEqual(names);
  expect(owner.store.runs.open(session)).toEqual([]);
});

test("QUE-34: a prompt without a RunID that joined no turn has one of its own, and a terminal without a RunID", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const owner = house.move({ steps: { main: [gate.step] } });
  const session = owner.session();
  owner.ask(session, "main");
  await gate.entered;
  owner.ask(session, "too late", { runId: null });
  await queuedAs(owner, 1);
  gate.open();
  await owner.dispatcher.idle();
  expect(owner.calls).toEqual(["main", "too late"]);
  expect(owner.terminals().at(-1)).toMatchObject({ runId: null, text: "ok", cancelled: false });
});

test.each([
  ["leaves", stalls()],
  ["fails", fails()],
] as const)(
  "QUE-35: the caller of the run in front %s, and the one behind runs all the same",
  async (how, step) => {
    await using house = dispatchHouse();
    const owner = house.move({ steps: { Y: [step] } });
    const session = owner.session();
    const y = owner.ask(session, "Y", { clientId: "y" }).runId;
    const x = owner.ask(session, "X", { clientId: "x" }).runId;
    await owner.seen((event) => event.type === "step.started" && event.runId === y);
    if (how === "leaves") owner.dispatcher.cancelRun(y, "reader_left", "y");
    expect((await owner.ended(y)).cancelled).toBe(how === "leaves");
    expect(await owner.ended(x)).toMatchObject({ cancelled: false, failure: null, text: "ok" });
  },
);
