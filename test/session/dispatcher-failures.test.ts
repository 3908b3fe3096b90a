import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import { textOf } from "../../src/protocol/message.ts";
import { ModelCallFailed } from "../../src/provider/language-model.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import {
  callsTools,
  fails,
  fakeModel,
  gated,
  says,
  stalls,
  type ModelStep,
} from "../support/fake-model.ts";
import { fakeTool } from "../support/fake-tool.ts";
import { turnSetup } from "../support/turn-setup.ts";

test("QUE-23, W-9: after a run that failed, the next one of the session runs", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { bad: [fails()] } });
  const session = owner.session();
  const bad = owner.ask(session, "bad").runId;
  const good = owner.ask(session, "good").runId;
  expect(await owner.ended(bad)).toMatchObject({
    cancelled: false,
    failure: { reason: "provider_error" },
  });
  expect(await owner.ended(good)).toMatchObject({ text: "ok", failure: null });
});

test("ERR-1, QUE-25, W-14: a prompt that cannot be prepared ends with its own error, the others are untouched", async () => {
  await using house = dispatchHouse();
  const wrong = failure("unknown_model", "there is no such model");
  const owner = house.move({
    prepare: async ({ options }) => {
      if (options.model === "nope") throw new RunFailed(wrong);
      return turnSetup(fakeModel(says("ok")));
    },
  });
  const session = owner.session();
  const bad = owner.ask(session, "bad", { options: { model: "nope" } }).runId;
  const good = owner.ask(session, "good").runId;
  expect(await owner.ended(bad)).toMatchObject({ failure: wrong, messageId: null, text: "" });
  expect(await owner.ended(good)).toMatchObject({ failure: null });
  expect(owner.store.messages.list(session).map(textOf)).toEqual(["good", "ok"]);
});

test("a model that cannot be opened says why: its failure is no bug of ours", async () => {
  await using house = dispatchHouse();
  const why = failure("invalid_config", "not a script");
  const owner = house.move({
    prepare: async () => {
      throw new ModelCallFailed(why, { retryable: false });
    },
  });
  expect((await owner.ended(owner.ask(owner.session(), "x").runId)).failure).toEqual(why);
});

test("RUN-18: a bug in the readiness is internal, and the dispatcher goes on", async () => {
  await using house = dispatchHouse();
  let calls = 0;
  const owner = house.move({
    prepare: () => {
      calls += 1;
      if (calls === 1) throw new TypeError("not even a promise");
      return Promise.resolve(turnSetup(fakeModel(says("ok"))));
    },
  });
  const session = owner.session();
  expect((await owner.ended(owner.ask(session, "a").runId)).failure).toMatchObject({
    reason: "internal",
    message: "TypeError: not even a promise",
  });
  expect((await owner.ended(owner.ask(session, "b").runId)).failure).toBeNull();
});

test("ERR-6, INV-33: an error event names the run that failed, after its terminal", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { bad: [fails()] } });
  const { runId } = owner.ask(owner.session(), "bad");
  await owner.seen(({ type }) => type === "agent_error");
  const [terminal, error] = owner.events.slice(-2);
  expect(terminal?.type).toBe("run_complete");
  expect(error).toMatchObject({ type: "agent_error", runId, error: "fake: provider_error" });
});

test("ERR-5: a prompt without a run id that never ran has an error event and no terminal", async () => {
  await using house = dispatchHouse();
  const owner = house.move({
    prepare: async () => {
      throw new RunFailed(failure("auth_missing", "no key"));
    },
  });
  owner.ask(owner.session(), "hi", { runId: null });
  await owner.seen(({ type }) => type === "agent_error");
  expect(owner.terminals()).toEqual([]);
});

test("a run that waits in the queue beyond its time limit ends as timeout, and the queue goes on", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("1"));
  const owner = house.move({ steps: { one: [gate.step] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await gate.entered;
  const two = owner.ask(session, "two", { options: { timeoutMs: 20 } }).runId;
  const three = owner.ask(session, "three").runId;
  expect((await owner.ended(two)).failure).toMatchObject({ reason: "timeout" });
  expect(owner.dispatcher.queued(session).map(({ prompt }) => prompt)).toEqual(["three"]);
  gate.open();
  await owner.ended(one);
  await owner.ended(three);
  expect(owner.calls).toEqual(["one", "three"]);
});

test("ERR-10: a run that is too slow ends as timeout, with what it said so far", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { slow: [stalls({ type: "text", text: "so far" })] } });
  const { runId } = owner.ask(owner.session(), "slow", { options: { timeoutMs: 20 } });
  expect(await owner.ended(runId)).toMatchObject({
    text: "so far",
    cancelled: false,
    failure: { reason: "timeout" },
  });
});

test("a time limit beyond what a timer can count does not end the run at once", async () => {
  await using house = dispatchHouse();
  const slow: ModelStep = async function* slow(call, signal) {
    await systemClock.sleep(30, signal);
    yield* says("ok")(call, signal);
  };
  const owner = house.move({ steps: { hi: [slow] } });
  const options = { timeoutMs: 2 ** 40 };
  const { runId } = owner.ask(owner.session(), "hi", { options });
  expect((await owner.ended(runId)).failure).toBeNull();
});

test("a bug of a tool is told to the model, and the run completes", async () => {
  await using house = dispatchHouse();
  const broken = fakeTool("broken", async () => {
    throw new Error("oops");
  });
  const owner = house.move({
    steps: { hi: [callsTools({ name: "broken" }), says("never mind")] },
    setup: { tools: [broken] },
  });
  const session = owner.session();
  expect(await owner.ended(owner.ask(session, "hi").runId)).toMatchObject({ text: "never mind" });
  expect(owner.store.messages.list(session).map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "assistant",
  ]);
});
