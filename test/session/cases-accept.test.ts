import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { decide, type Command, type SessionState } from "../../src/session/decide.ts";
import { QUEUE_LIMIT } from "../../src/session/take-prompt.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { gated, says } from "../support/fake-model.ts";
import { refusalOf } from "../support/refusal.ts";
import { visibility } from "../support/visibility.ts";

/** A reservation is a row in the state `reserved`; to leave that state is its release. */
const reserved = (owner: HouseOwner, session: SessionId): number[] =>
  owner.store.runs
    .open(session)
    .filter(({ state }) => state === "reserved")
    .map(({ seq }) => seq);

const NOTHING = { active: 0, reserved: 0, queued: 0 };

test("ACC-1: an accepted prompt is one reservation of its session", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const [session, other] = [owner.session(), owner.session()];
  const { seq, runId } = owner.ask(session, "hi");
  expect(reserved(owner, session)).toEqual([seq]);
  expect(reserved(owner, other)).toEqual([]);
  expect(owner.dispatcher.record(runId)).toMatchObject({ sessionId: session, state: "reserved" });
});

test("ACC-2, INV-24: a reservation is released once, however often that is asked for", () => {
  const one = { seq: 1, owner: "a", phase: "reserved", cancel: null, foldable: false } as const;
  const cancel = { reason: "by_client", by: null } as const;
  const marked: SessionState = { prompts: [one], mark: { ...cancel, upTo: 1 } };
  const ways: [SessionState, Command][] = [
    [
      { prompts: [one], mark: null },
      { type: "ready", seq: 1 },
    ],
    [
      { prompts: [one], mark: null },
      { type: "finish", seq: 1 },
    ],
    [marked, { type: "ready", seq: 1 }],
    [marked, { type: "unready", seq: 1 }],
  ];
  for (const [before, release] of ways) {
    const [once] = decide(before, release, "a");
    expect(once.prompts.filter(({ phase }) => phase === "reserved")).toEqual([]);
    const [twice, second] = decide(once, release, "a");
    const [thrice, third] = decide(twice, release, "a");
    expect([twice, second, thrice, third]).toEqual([once, [], once, []]);
  }
});

test("ACC-2: a prompt that is cancelled three times while reserved has one end", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  for (let n = 0; n < 3; n += 1) owner.dispatcher.cancelRun(runId, "by_client");
  await owner.ended(runId);
  expect(owner.dispatcher.cancelSession(session, "by_client")).toEqual(NOTHING);
  expect(owner.terminals(runId).length).toBe(1);
});

test("ACC-3: two reservations are released one after the other", async () => {
  await using house = dispatchHouse();
  const gates: Record<string, ReturnType<typeof deferred<void>>> = {
    one: deferred(),
    two: deferred(),
  };
  const owner = house.move({ hold: async (prompt) => await gates[prompt]?.promise });
  const session = owner.session();
  const [one, two] = [owner.ask(session, "one"), owner.ask(session, "two")];
  expect(reserved(owner, session)).toEqual([one.seq, two.seq]);
  gates["one"]?.resolve();
  await owner.ended(one.runId);
  expect(reserved(owner, session)).toEqual([two.seq]);
  gates["two"]?.resolve();
  await owner.ended(two.runId);
  expect(reserved(owner, session)).toEqual([]);
});

test("ACC-4: what was never accepted belongs to no session, and to end it is nothing", async () => {
  const idle: SessionState = { prompts: [], mark: null };
  for (const type of ["ready", "unready", "finish", "drain"] as const)
    expect(decide(idle, { type, seq: 0 }, "a")).toEqual([idle, []]);
  await using house = dispatchHouse();
  const owner = house.move();
  expect(owner.dispatcher.record("" as RunId)).toBeNull();
  expect(owner.dispatcher.cancelSession("" as SessionId, "by_client")).toEqual(NOTHING);
  expect(owner.dispatcher.clearQueue("" as SessionId)).toBe(0);
  expect(owner.events).toEqual([]);
});

test("ACC-5: sequences grow in order of acceptance, over all sessions and processes, and none comes twice", async () => {
  await using house = dispatchHouse();
  const [first, second] = [house.move(), house.move()];
  const [here, there] = [first.session(), first.session()];
  const taken: { readonly seq: number; readonly runId: RunId; readonly owner: HouseOwner }[] = [];
  for (const [owner, session] of [
    [first, here],
    [first, there],
    [second, here],
    [first, here],
  ] as const)
    taken.push({ ...owner.ask(session, "p"), owner });
  expect(taken.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  for (const { runId, owner } of taken) await owner.ended(runId);
  using database = new DatabaseSync(join(house.directory, "crush-run.db"));
  database.exec("DELETE FROM runs");
  expect(second.ask(second.session(), "p").seq).toBe(5);
});

test("ACC-6: with the last reservation its mark goes", async () => {
  await using house = dispatchHouse();
  const gate = deferred();
  const owner = house.move({ hold: async () => await gate.promise });
  const session = owner.session();
  const { seq, runId } = owner.ask(session, "hi");
  owner.dispatcher.cancelSession(session, "by_client");
  expect(owner.store.sessions.cancelMark(session)).toMatchObject({ upTo: seq });
  gate.resolve();
  await owner.ended(runId);
  expect(reserved(owner, session)).toEqual([]);
  expect(owner.store.sessions.cancelMark(session)).toBeNull();
});

test("ACC-7, INV-13: a mark that covers two reservations outlives the first of them", async () => {
  await using house = dispatchHouse();
  const gates = [deferred(), deferred()];
  const owner = house.move({ hold: async (prompt) => await gates[Number(prompt)]?.promise });
  const session = owner.session();
  const runs = ["0", "1"].map((prompt) => owner.ask(session, prompt));
  owner.dispatcher.cancelSession(session, "by_client");
  for (const [n, { runId }] of runs.entries()) {
    expect(owner.store.sessions.cancelMark(session)).toMatchObject({ upTo: runs[1]?.seq });
    gates[n]?.resolve();
    expect((await owner.ended(runId)).cancelled).toBe(true);
  }
  expect(owner.store.sessions.cancelMark(session)).toBeNull();
});

test("ACC-10, INV-11: whichever way the decision goes, a prompt is always in exactly one place", async () => {
  await using house = dispatchHouse();
  const watched = visibility();
  const gate = gated(says("ok"));
  const late = deferred();
  const owner = house.move({
    wrap: watched.wrap,
    steps: { active: [gate.step] },
    hold: (prompt) => (prompt === "cancelled" ? late.promise : undefined),
  });
  const session = owner.session();
  const active = owner.ask(session, "active").runId;
  await gate.entered;
  const queued = owner.ask(session, "queued").runId;
  await owner.seen(({ type }) => type === "run.queued");
  const cancelled = owner.ask(session, "cancelled").runId;
  owner.dispatcher.cancelRun(cancelled, "by_client");
  late.resolve();
  await owner.ended(cancelled);
  gate.open();
  for (const run of [active, queued]) await owner.ended(run);
  expect(Object.fromEntries(watched.seen)).toEqual({
    1: ["reserved", "active", "settled"],
    2: ["reserved", "queued", "active", "settled"],
    3: ["reserved", "settled"],
  });
});

test("ACC-11: a prompt that fails before its decision leaves no reservation and no mark", async () => {
  await using house = dispatchHouse();
  const owner = house.move({
    prepare: async () => {
      throw new RunFailed(failure("auth_missing", "no key"));
    },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  expect(await owner.ended(runId)).toMatchObject({ failure: { reason: "auth_missing" } });
  expect(owner.store.runs.open(session)).toEqual([]);
  expect(owner.store.sessions.cancelMark(session)).toBeNull();
  expect(owner.dispatcher.cancelSession(session, "by_client")).toEqual(NOTHING);
});

test("ACC-14: a prompt that nobody waits for has a sequence, counts, and is cancelled on entry like any other", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  const { seq } = owner.ask(session, "hi", { runId: null });
  expect(seq).toBe(1);
  expect(reserved(owner, session)).toEqual([1]);
  expect(owner.dispatcher.cancelSession(session, "by_client")).toMatchObject({ reserved: 1 });
  await owner.dispatcher.idle();
  expect(owner.calls).toEqual([]);
  expect(owner.terminals()).toMatchObject([{ runId: null, cancelled: true }]);
  expect(owner.store.messages.list(session).map(({ role }) => role)).toEqual(["user", "assistant"]);
});

test("CAN-35, INV-16: a cancel of one session leaves what another runs, queues and has cancelled as it is", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("done"));
  const late = deferred();
  const owner = house.move({
    steps: { active: [gate.step] },
    hold: (prompt) => (prompt === "reserved" ? late.promise : undefined),
  });
  const [here, there] = [owner.session(), owner.session()];
  const active = owner.ask(there, "active").runId;
  await gate.entered;
  const marked = owner.ask(there, "reserved");
  owner.dispatcher.cancelRun(marked.runId, "reader_left");
  const queued = owner.ask(there, "queued").runId;
  await owner.seen(({ type }) => type === "run.queued");
  const look = () => [owner.store.runs.open(there), owner.store.sessions.cancelMark(there)];
  const before = look();
  const mine = owner.ask(here, "reserved").runId;
  expect(owner.dispatcher.cancelSession(here, "by_client")).toEqual({ ...NOTHING, reserved: 1 });
  expect(look()).toEqual(before);
  late.resolve();
  gate.open();
  for (const run of [mine, marked.runId]) expect((await owner.ended(run)).cancelled).toBe(true);
  for (const run of [active, queued]) expect((await owner.ended(run)).cancelled).toBe(false);
});

test("a session takes in so many open prompts and no more; what is refused leaves no trace", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const [session, other] = [owner.session(), owner.session()];
  for (let n = 0; n < QUEUE_LIMIT; n += 1) owner.ask(session, "p");
  expect(refusalOf(() => owner.ask(session, "one too many"))).toBe("queue_full");
  expect(owner.store.runs.open(session).length).toBe(QUEUE_LIMIT);
  expect(owner.ask(other, "elsewhere").state).toBe("reserved");
  expect(owner.dispatcher.cancelSession(session, "by_client")).toMatchObject({
    reserved: QUEUE_LIMIT,
  });
  await owner.dispatcher.idle();
  expect(owner.terminals().filter(({ cancelled }) => cancelled).length).toBe(QUEUE_LIMIT);
  expect(await owner.ended(owner.ask(session, "again").runId)).toMatchObject({ failure: null });
});
