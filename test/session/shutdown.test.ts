import { expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import {
  fakeModel,
  finish,
  gated,
  hangs,
  says,
  stalls,
  type ModelStep,
} from "../support/fake-model.ts";
import { refusalOf } from "../support/refusal.ts";
import { turnSetup } from "../support/turn-setup.ts";

test("RUN-19, SHU-8, SHU-9: a shutdown gives every open run one cancelled terminal", async () => {
  await using house = dispatchHouse();
  const never = deferred<never>();
  const owner = house.move({
    prepare: async ({ options }, signal) => {
      if (options.model !== "slow") return turnSetup(fakeModel(stalls()));
      signal.addEventListener("abort", () => never.reject(signal.reason));
      return await never.promise;
    },
  });
  const session = owner.session();
  const active = owner.ask(session, "active").runId;
  const queued = owner.ask(session, "queued").runId;
  const reserved = owner.ask(session, "reserved", { options: { model: "slow" } }).runId;
  await owner.seen(({ type }) => type === "step.started");
  await owner.seen(({ type }) => type === "run.queued");
  await owner.dispatcher.shutdown();
  for (const run of [active, queued, reserved]) {
    expect(owner.terminals(run)).toMatchObject([
      { cancelled: true, failure: { reason: "by_shutdown" } },
    ]);
    expect(owner.store.runs.record(run)?.state).toBe("settled");
  }
  expect(owner.events.filter(({ type }) => type === "agent_error")).toEqual([]);
});

test("SHU-2, DSP-7, INV-2: after a shutdown nothing is accepted and nothing is stored", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  await owner.dispatcher.shutdown();
  expect(refusalOf(() => owner.ask(session, "late"))).toBe("by_shutdown");
  expect(owner.store.runs.recent(10)).toEqual([]);
  expect(owner.events).toEqual([]);
});

test("SHU-6: a second shutdown, or one of an idle dispatcher, is harmless", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  await owner.dispatcher.shutdown();
  await owner.dispatcher.shutdown();
  expect(owner.events).toEqual([]);
});

test("SHU-6: two shutdowns at once are one: each run ends once, and both wait for it", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { hi: [stalls()] } });
  const { runId } = owner.ask(owner.session(), "hi");
  await owner.seen(({ type }) => type === "step.started");
  await Promise.all([owner.dispatcher.shutdown(), owner.dispatcher.shutdown()]);
  expect(owner.terminals(runId)).toMatchObject([{ cancelled: true }]);
  expect(owner.dispatcher.inFlight()).toBe(0);
});

test("SHU-5: the messages of a run that is shut down are closed before the shutdown is over", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { hi: [stalls({ type: "text", text: "so far" })] } });
  const session = owner.session();
  owner.ask(session, "hi");
  await owner.seen(({ type }) => type === "text.delta");
  await owner.dispatcher.shutdown();
  expect(owner.store.messages.list(session).at(-1)?.parts).toMatchObject([
    { type: "text", text: "so far" },
    { type: "finish", reason: "canceled" },
  ]);
});

test("PER-20: a shutdown between the slot and the first word leaves user and canceled assistant", async () => {
  await using house = dispatchHouse();
  const over: Promise<void>[] = [];
  const owner = house.move({
    onEvent: ({ type }) => {
      if (type === "run.started") over.push(owner.dispatcher.shutdown());
    },
  });
  const session = owner.session();
  await owner.ended(owner.ask(session, "hi").runId);
  await Promise.all(over);
  expect(owner.store.messages.list(session).map(({ role }) => role)).toEqual(["user", "assistant"]);
});

test("SHU-7: a turn that ignores its abort does not hold the shutdown beyond kill-after", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { hi: [hangs()] } });
  const { runId } = owner.ask(owner.session(), "hi", { options: { killAfterMs: 20 } });
  await owner.seen(({ type }) => type === "step.started");
  await owner.dispatcher.shutdown();
  expect(owner.terminals(runId)).toMatchObject([{ cancelled: true }]);
});

test("SHU-7: a readiness that ignores its abort does not hold the shutdown either", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ prepare: async () => await new Promise<never>(() => {}) });
  const { runId } = owner.ask(owner.session(), "hi", { options: { killAfterMs: 20 } });
  await new Promise((resolve) => setImmediate(resolve));
  await owner.dispatcher.shutdown();
  expect(owner.terminals(runId)).toMatchObject([{ failure: { reason: "by_shutdown" } }]);
});

test("SHU-7, W-29, INV-28: a shutdown waits so long and no longer; the stuck run gets its terminal, and its late end is nobody's", async () => {
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
  const owner = house.move({ steps: { stuck: [stubborn] }, shutdownMs: 20 });
  const session = owner.session();
  const stuck = owner.ask(session, "stuck", { options: { killAfterMs: 60_000 } }).runId;
  const behind = owner.ask(session, "behind").runId;
  await owner.seen(({ type }) => type === "step.started");
  await owner.seen(({ type }) => type === "run.queued");
  const before = systemClock.monotonic();
  await owner.dispatcher.shutdown();
  expect(systemClock.monotonic() - before).toBeLessThan(5000);
  const leftBehind = { cancelled: true, failure: { reason: "by_shutdown" } };
  expect(owner.terminals(stuck)).toMatchObject([leftBehind]);
  expect(owner.terminals(stuck)[0]?.failure?.message).toContain("did not obey in time");
  expect(owner.terminals(behind)).toMatchObject([leftBehind]);
  expect(owner.store.runs.open(session)).toEqual([]);
  late.resolve();
  await ended.promise;
  await owner.dispatcher.idle();
  await new Promise((resolve) => setImmediate(resolve));
  expect(owner.terminals().length).toBe(2);
  expect(owner.events.filter(({ type }) => type.startsWith("agent_"))).toEqual([]);
  expect(owner.store.runs.record(stuck)?.outcome).toMatchObject({ reason: "by_shutdown" });
  expect(owner.calls).toEqual(["stuck"]);
});

test("SHU-3, SHU-5: a shutdown does not end before a run that obeys has stored its end", async () => {
  await using house = dispatchHouse();
  const winding = deferred();
  const obeyed = deferred();
  const slow: ModelStep = async function* obeying(_call, signal) {
    yield { type: "text", text: "so far" };
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    winding.resolve();
    await obeyed.promise;
    throw signal.reason;
  };
  const owner = house.move({ steps: { hi: [slow] } });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await owner.seen(({ type }) => type === "text.delta");
  let over = false;
  const shutdown = (async () => {
    await owner.dispatcher.shutdown();
    over = true;
  })();
  await winding.promise;
  await new Promise((resolve) => setImmediate(resolve));
  expect([over, owner.dispatcher.inFlight()]).toEqual([false, 1]);
  obeyed.resolve();
  await shutdown;
  expect(owner.dispatcher.inFlight()).toBe(0);
  expect(owner.store.runs.record(runId)).toMatchObject({ state: "settled" });
  expect(owner.store.messages.list(session).at(-1)?.parts).toMatchObject([
    { type: "text", text: "so far" },
    { type: "finish", reason: "canceled" },
  ]);
});

test("INV-27: a shutdown does not start what waited behind the run that it ends", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("x"));
  const owner = house.move({ steps: { one: [gate.step] } });
  const session = owner.session();
  owner.ask(session, "one");
  await gate.entered;
  owner.ask(session, "two");
  await owner.seen(({ type }) => type === "run.queued");
  await owner.dispatcher.shutdown();
  expect(owner.calls).toEqual(["one"]);
  expect(owner.events.filter(({ type }) => type === "run.started").length).toBe(1);
});
