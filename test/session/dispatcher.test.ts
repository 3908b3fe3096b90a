import { expect, test } from "vitest";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { fails, fakeModel, gated, says, type ModelStep } from "../support/fake-model.ts";
import { refusalOf } from "../support/refusal.ts";
import { turnSetup } from "../support/turn-setup.ts";

test("RUN-1, DSP-15: a prompt that runs to its end has one terminal event with its text and message", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { hi: [says("Hel", "lo")] } });
  const session = owner.session();
  const { runId, state, attached } = owner.ask(session, "hi");
  expect({ state, attached }).toEqual({ state: "reserved", attached: false });
  const terminal = await owner.ended(runId);
  const [user, assistant] = owner.store.messages.list(session);
  expect(terminal).toEqual({
    type: "run_complete",
    runId,
    sessionId: session,
    messageId: assistant?.id,
    text: "Hello",
    cancelled: false,
    failure: null,
  });
  expect(user).toMatchObject({ role: "user", parts: [{ type: "text", text: "hi" }, {}] });
  expect(owner.dispatcher.record(runId)).toMatchObject({
    state: "settled",
    prompt: "hi",
    outcome: { reason: "end_turn", text: "Hello", turns: 1 },
  });
});

test("accept returns before anything runs", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const { runId } = owner.ask(owner.session(), "hi");
  expect(owner.events).toEqual([]);
  expect(owner.dispatcher.record(runId)?.state).toBe("reserved");
  await owner.ended(runId);
});

test("INV-4: when the terminal event is seen, messages and record are stored", async () => {
  await using house = dispatchHouse();
  const stored: string[] = [];
  const owner = house.move({
    steps: { hi: [says("Hello")] },
    onEvent: (event) => {
      if (event.type !== "run_complete") return;
      stored.push(...owner.store.messages.list(event.sessionId).map(textOf));
      stored.push(owner.store.runs.record(event.runId ?? ("" as RunId))?.state ?? "");
    },
  });
  await owner.ended(owner.ask(owner.session(), "hi").runId);
  expect(stored).toEqual(["hi", "Hello", "settled"]);
});

test("INV-7, RUN-23: a prompt sent from within the terminal event is not held up by the run that ended", async () => {
  await using house = dispatchHouse();
  let second: RunId | null = null;
  const owner = house.move({
    onEvent: (event) => {
      if (event.type !== "run_complete" || second !== null) return;
      expect(owner.dispatcher.isBusy(event.sessionId)).toBe(false);
      second = owner.ask(event.sessionId, "two").runId;
    },
  });
  await owner.ended(owner.ask(owner.session(), "one").runId);
  await owner.ended(second ?? ("" as RunId));
  expect(owner.events.some(({ type }) => type === "run.queued")).toBe(false);
});

test("INV-17: prompts of one session run one at a time, in order of acceptance", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("1"));
  const owner = house.move({ steps: { one: [gate.step] } });
  const session = owner.session();
  const runs = ["one", "two", "three"].map((prompt) => owner.ask(session, prompt).runId);
  await gate.entered;
  expect(owner.calls).toEqual(["one"]);
  expect(owner.dispatcher.isBusy(session)).toBe(true);
  await owner.seen((event) => event.type === "run.queued" && event.ahead === 2);
  expect(owner.dispatcher.queued(session).map(({ prompt }) => prompt)).toEqual(["two", "three"]);
  gate.open();
  for (const run of runs) await owner.ended(run);
  expect(owner.terminals().map(({ runId }) => runId)).toEqual(runs);
  expect(owner.store.messages.list(session).map(textOf)).toEqual([
    "one",
    "1",
    "two",
    "ok",
    "three",
    "ok",
  ]);
  expect(owner.dispatcher.isBusy(session)).toBe(false);
});

test("INV-16: sessions do not wait for each other", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("slow"));
  const owner = house.move({ steps: { slow: [gate.step] } });
  const slow = owner.ask(owner.session(), "slow").runId;
  await gate.entered;
  const quick = owner.ask(owner.session(), "quick").runId;
  expect((await owner.ended(quick)).failure).toBeNull();
  gate.open();
  await owner.ended(slow);
});

test("QUE-14, INV-8: the terminal of a run comes before anything of the next one", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("1"));
  const owner = house.move({ steps: { one: [gate.step] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  const two = owner.ask(session, "two").runId;
  await gate.entered;
  gate.open();
  await owner.ended(two);
  const order = owner.events
    .filter(({ type }) => type === "run_complete" || type === "run.started")
    .map((event) => ("runId" in event ? `${event.type} ${event.runId}` : ""));
  expect(order).toEqual([
    `run.started ${one}`,
    `run_complete ${one}`,
    `run.started ${two}`,
    `run_complete ${two}`,
  ]);
});

test("RUN-17: a prompt without a run id has a terminal without one", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  owner.ask(owner.session(), "hi", { runId: null });
  await owner.seen(({ type }) => type === "run_complete");
  expect(owner.terminals()).toMatchObject([{ runId: null, text: "ok" }]);
});

test("W-17, RUN-20: the same run id with the same body attaches, and nothing runs twice", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("once"));
  const owner = house.move({ steps: { hi: [gate.step] } });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await gate.entered;
  expect(owner.ask(session, "hi", { runId })).toMatchObject({ attached: true, state: "active" });
  gate.open();
  await owner.ended(runId);
  expect(owner.ask(session, "hi", { runId })).toMatchObject({ attached: true, state: "settled" });
  expect(owner.calls).toEqual(["hi"]);
  expect(owner.terminals(runId).length).toBe(1);
});

test("W-17: the same run id with another body is a conflict, and leaves the first alone", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  expect(refusalOf(() => owner.ask(session, "other", { runId }))).toBe("run_conflict");
  await owner.ended(runId);
  expect(owner.store.runs.recent(10).map(({ prompt }) => prompt)).toEqual(["hi"]);
});

test("4.12 ERR-14: a prompt for an unknown session is not accepted", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  expect(refusalOf(() => owner.ask("nowhere" as SessionId, "hi"))).toBe("unknown_session");
  expect(owner.store.runs.recent(10)).toEqual([]);
});

test("a run that is not known has no record, and cannot be cancelled", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  expect(owner.dispatcher.record("nobody" as RunId)).toBeNull();
  expect(refusalOf(() => owner.dispatcher.cancelRun("nobody" as RunId, "by_client"))).toBe(
    "unknown_run",
  );
});

test("a session goes on with what was said in it before", async () => {
  await using house = dispatchHouse();
  const heard: string[][] = [];
  const listens: ModelStep = (call, signal) => {
    heard.push(call.messages.map(({ role }) => role));
    return says("ok")(call, signal);
  };
  const owner = house.move({ steps: { one: [listens], two: [listens] } });
  const session = owner.session();
  await owner.ended(owner.ask(session, "one").runId);
  await owner.ended(owner.ask(session, "two").runId);
  expect(heard).toEqual([["user"], ["user", "assistant", "user"]]);
});

test("readiness is told who wrote the last answer of the session", async () => {
  await using house = dispatchHouse();
  const previous: unknown[] = [];
  const owner = house.move({
    prepare: async (request) => {
      previous.push(request.previous);
      return turnSetup(fakeModel(says("ok")));
    },
  });
  const session = owner.session();
  await owner.ended(owner.ask(session, "one").runId);
  await owner.ended(owner.ask(session, "two").runId);
  expect(previous).toEqual([null, { provider: "fake", model: "one" }]);
});

test("the usage of every call is added to the session", async () => {
  await using house = dispatchHouse();
  const usage = { inputTokens: 7, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 };
  const step = async function* counted() {
    yield { type: "text" as const, text: "x" };
    yield { type: "finish" as const, reason: "end_turn" as const, usage };
  };
  const owner = house.move({
    steps: { hi: [step] },
    setup: { prices: { input: 1, output: 1, cachedInput: 1 } },
  });
  const session = owner.session();
  await owner.ended(owner.ask(session, "hi").runId);
  expect(owner.store.sessions.get(session)).toMatchObject({ promptTokens: 7, completionTokens: 2 });
  expect(owner.store.sessions.get(session)?.cost).toBeCloseTo(9e-6, 12);
});

test("a session in which a prompt ran is the last changed one, even when the prompt failed", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { bad: [fails()] } });
  const older = owner.session();
  const newer = owner.session();
  expect(owner.store.sessions.list().map(({ id }) => id)).toEqual([newer, older]);
  await owner.ended(owner.ask(older, "bad").runId);
  expect(owner.store.sessions.list().map(({ id }) => id)).toEqual([older, newer]);
});
