import * as fc from "fast-check";
import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import type { RunId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { dispatchHouse, type HouseOwner } from "../support/dispatch-house.ts";
import { callsTools, fakeModel, gated, hangs, says, stalls } from "../support/fake-model.ts";
import { fakeTool } from "../support/fake-tool.ts";
import { turnSetup } from "../support/turn-setup.ts";

const started = async (owner: HouseOwner, runId: RunId): Promise<void> =>
  await owner.seen((event) => event.type === "step.started" && event.runId === runId);

test("CAN-2: a cancel of an idle session does not poison the next prompt", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  expect(owner.dispatcher.cancelSession(session, "by_client")).toEqual({
    active: 0,
    reserved: 0,
    queued: 0,
  });
  expect(await owner.ended(owner.ask(session, "hi").runId)).toMatchObject({ cancelled: false });
});

test("CAN-7, CAN-8, PER-4, PER-5: a prompt cancelled before its decision leaves a canceled turn and one terminal", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  expect(owner.dispatcher.cancelSession(session, "by_client")).toMatchObject({ reserved: 1 });
  expect(await owner.ended(runId)).toMatchObject({ cancelled: true, text: "", messageId: null });
  expect(owner.calls).toEqual([]);
  const [user, assistant, ...more] = owner.store.messages.list(session);
  expect(more).toEqual([]);
  expect(user).toMatchObject({ role: "user", parts: [{ type: "text", text: "hi" }, {}] });
  expect(assistant).toMatchObject({ role: "assistant", model: "one", provider: "fake" });
  expect(assistant?.parts).toMatchObject([
    { type: "finish", reason: "canceled", message: "User canceled request", details: "" },
  ]);
  expect(owner.store.sessions.cancelMark(session)).toBeNull();
  expect(owner.dispatcher.record(runId)?.outcome).toMatchObject({ reason: "by_client" });
  expect(owner.terminals(runId).length).toBe(1);
});

test("CAN-9, PER-8: one cancel ends two prompts on entry, with four messages", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const session = owner.session();
  const runs = ["one", "two"].map((prompt) => owner.ask(session, prompt).runId);
  owner.dispatcher.cancelSession(session, "by_client");
  for (const run of runs) expect((await owner.ended(run)).cancelled).toBe(true);
  expect(owner.store.messages.list(session).map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "user",
    "assistant",
  ]);
  expect(owner.store.runs.open(session)).toEqual([]);
});

test("CAN-13, RUN-6: a cancel ends queued prompts at once, with one terminal per run id and none for the rest", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("x"));
  const owner = house.move({ steps: { one: [gate.step] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await gate.entered;
  const two = owner.ask(session, "two").runId;
  owner.ask(session, "nobody waits", { runId: null });
  await owner.seen((event) => event.type === "run.queued" && event.ahead === 2);
  owner.dispatcher.cancelSession(session, "by_client");
  expect(owner.dispatcher.queued(session)).toEqual([]);
  expect(owner.terminals().map(({ runId }) => runId)).toEqual([two]);
  await owner.ended(one);
  await new Promise((resolve) => setImmediate(resolve));
  expect(owner.terminals().map(({ runId, cancelled }) => [runId, cancelled])).toEqual([
    [two, true],
    [one, true],
  ]);
  expect(owner.events.filter(({ type }) => type === "agent_error")).toEqual([]);
});

test("RUN-3, PER-16, INV-15: a cancel in the middle of an answer keeps the partial text and is no error", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { hi: [stalls({ type: "text", text: "so far" })] } });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await owner.seen(({ type }) => type === "text.delta");
  expect(owner.dispatcher.cancelRun(runId, "signal")).toBe(true);
  expect(await owner.ended(runId)).toMatchObject({ cancelled: true, text: "so far" });
  expect(owner.store.messages.list(session).at(-1)?.parts).toMatchObject([
    { type: "text", text: "so far" },
    { type: "finish", reason: "canceled" },
  ]);
  expect(owner.dispatcher.record(runId)?.outcome).toMatchObject({
    reason: "signal",
    text: "so far",
    partial: true,
  });
  expect(owner.events.filter(({ type }) => type === "agent_error")).toEqual([]);
});

test("PER-11, PER-14: a cancel in a tool leaves a result for every call", async () => {
  await using house = dispatchHouse();
  const inside = deferred();
  const slow = fakeTool("slow", async (_input, { signal }) => {
    inside.resolve();
    return await orAborted(new Promise<never>(() => {}), signal);
  });
  const owner = house.move({
    steps: { hi: [callsTools({ name: "slow" })] },
    setup: { tools: [slow] },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await inside.promise;
  owner.dispatcher.cancelRun(runId, "by_client");
  await owner.ended(runId);
  const [, assistant, tool] = owner.store.messages.list(session);
  expect(assistant?.parts.at(-1)).toMatchObject({ type: "finish", reason: "canceled" });
  expect(tool?.parts[0]).toMatchObject({ type: "tool_result", isError: true });
});

test("CAN-18: a cancel between the slot and the first word leaves user and canceled assistant", async () => {
  await using house = dispatchHouse();
  const owner: HouseOwner = house.move({
    onEvent: (event) => {
      if (event.type === "run.started")
        owner.dispatcher.cancelSession(event.sessionId, "by_client");
    },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  expect((await owner.ended(runId)).cancelled).toBe(true);
  expect(owner.calls).toEqual([]);
  expect(owner.store.messages.list(session).map(({ role }) => role)).toEqual(["user", "assistant"]);
});

test("CAN-27: a cancel in the terminal event changes nothing any more", async () => {
  await using house = dispatchHouse();
  const answers: unknown[] = [];
  const owner: HouseOwner = house.move({
    onEvent: (event) => {
      if (event.type !== "run_complete" || event.runId === null) return;
      answers.push(owner.dispatcher.cancelRun(event.runId, "by_client"));
      answers.push(owner.dispatcher.cancelSession(event.sessionId, "by_client"));
    },
  });
  const { runId } = owner.ask(owner.session(), "hi");
  expect((await owner.ended(runId)).cancelled).toBe(false);
  expect(answers).toEqual([false, { active: 0, reserved: 0, queued: 0 }]);
});

test("CAN-30, CAN-17: a prompt accepted while a cancelled run winds down runs after it", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { one: [stalls()] } });
  const session = owner.session();
  const one = owner.ask(session, "one").runId;
  await started(owner, one);
  owner.dispatcher.cancelSession(session, "by_client");
  const two = owner.ask(session, "two").runId;
  expect((await owner.ended(one)).cancelled).toBe(true);
  expect(await owner.ended(two)).toMatchObject({ cancelled: false, text: "ok" });
  expect(owner.store.messages.list(session).map(textOf)).toEqual(["one", "", "two", "ok"]);
});

test("W-18: a cancel of one run leaves the others of its session alone", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("1"));
  const owner = house.move({ steps: { one: [gate.step] } });
  const session = owner.session();
  const [one, two, three] = ["one", "two", "three"].map((text) => owner.ask(session, text).runId);
  if (one === undefined || two === undefined || three === undefined) throw new Error("three");
  await gate.entered;
  owner.dispatcher.cancelRun(two, "by_client");
  gate.open();
  expect((await owner.ended(one)).cancelled).toBe(false);
  expect((await owner.ended(two)).cancelled).toBe(true);
  expect((await owner.ended(three)).cancelled).toBe(false);
});

test("ACC-13, CAN-35: a cancel of one session leaves another alone", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  const [here, there] = [owner.session(), owner.session()];
  const mine = owner.ask(here, "one").runId;
  const other = owner.ask(there, "two").runId;
  owner.dispatcher.cancelSession(here, "by_client");
  expect(owner.store.sessions.cancelMark(there)).toBeNull();
  expect((await owner.ended(mine)).cancelled).toBe(true);
  expect((await owner.ended(other)).cancelled).toBe(false);
});

test("CAN-25: a cancel ends a readiness that would take for ever, as cancelled on entry", async () => {
  await using house = dispatchHouse();
  const owner = house.move({
    prepare: async (_request, signal) => await orAborted(new Promise<never>(() => {}), signal),
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "hi");
  await new Promise((resolve) => setImmediate(resolve));
  owner.dispatcher.cancelRun(runId, "by_client");
  expect((await owner.ended(runId)).cancelled).toBe(true);
  expect(owner.store.messages.list(session).map(({ role }) => role)).toEqual(["user", "assistant"]);
});

test("CAN-26: a cancelled prompt whose readiness then fails is cancelled, not failed", async () => {
  await using house = dispatchHouse();
  const gate = deferred();
  const owner = house.move({
    prepare: async () => {
      await gate.promise;
      throw new RunFailed(failure("auth_missing", "no key"));
    },
  });
  const { runId } = owner.ask(owner.session(), "hi");
  owner.dispatcher.cancelRun(runId, "by_client");
  gate.resolve();
  expect(await owner.ended(runId)).toMatchObject({
    cancelled: true,
    failure: { reason: "by_client" },
  });
  expect(owner.events.filter(({ type }) => type === "agent_error")).toEqual([]);
});

test("a cancelled run whose model ignores the cancel ends within its kill-after, and the next one runs", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { one: [hangs({ type: "text", text: "so far" })] } });
  const session = owner.session();
  const one = owner.ask(session, "one", { options: { killAfterMs: 20 } }).runId;
  const two = owner.ask(session, "two").runId;
  await started(owner, one);
  owner.dispatcher.cancelRun(one, "by_client");
  expect(await owner.ended(one)).toMatchObject({ cancelled: true, text: "so far" });
  expect(await owner.ended(two)).toMatchObject({ text: "ok" });
});

test("a readiness that ignores its cancel is left behind after kill-after", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ prepare: async () => await new Promise<never>(() => {}) });
  const { runId } = owner.ask(owner.session(), "hi", { options: { killAfterMs: 20 } });
  await new Promise((resolve) => setImmediate(resolve));
  owner.dispatcher.cancelRun(runId, "by_client");
  expect((await owner.ended(runId)).cancelled).toBe(true);
});

test("the first reason is the one that counts", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { hi: [stalls()] } });
  const { runId } = owner.ask(owner.session(), "hi");
  await started(owner, runId);
  owner.dispatcher.cancelRun(runId, "reader_left");
  owner.dispatcher.cancelRun(runId, "by_client");
  await owner.ended(runId);
  expect(owner.dispatcher.record(runId)?.outcome?.reason).toBe("reader_left");
});

type Move = "accept" | "cancel" | "yield" | "cancel_last" | "turn";

test("CAN-33, INV-1, P-2: whenever cancels fall, every run has one terminal and the session is free at the end", async () => {
  const moves = fc.array(
    fc.constantFrom<Move[]>("accept", "accept", "cancel", "yield", "yield", "cancel_last", "turn"),
    { minLength: 1, maxLength: 14 },
  );
  await using house = dispatchHouse();
  const owner = house.move({
    prepare: async () => turnSetup(fakeModel(callsTools({ name: "look" }), says("done"))),
    setup: { tools: [fakeTool("look")] },
  });
  await fc.assert(
    fc.asyncProperty(moves, async (script) => {
      const session = owner.session();
      const runs: RunId[] = [];
      const mayBeCancelled = new Set<RunId>();
      for (const move of script) {
        const last = runs.at(-1);
        if (move === "accept") runs.push(owner.ask(session, "p").runId);
        else if (move === "yield") await Promise.resolve();
        else if (move === "turn") await new Promise((resolve) => setImmediate(resolve));
        else if (move === "cancel") {
          owner.dispatcher.cancelSession(session, "by_client");
          for (const run of runs) mayBeCancelled.add(run);
        } else if (last !== undefined) {
          owner.dispatcher.cancelRun(last, "by_client");
          mayBeCancelled.add(last);
        }
      }
      for (const run of runs) await owner.ended(run);
      const terminals = runs.map((run) => owner.terminals(run));
      expect(terminals.map(({ length }) => length)).toEqual(runs.map(() => 1));
      const cancelled = terminals.flat().filter((terminal) => terminal.cancelled);
      const unasked = cancelled.filter(({ runId }) => runId !== null && !mayBeCancelled.has(runId));
      expect(unasked).toEqual([]);
      expect(owner.store.runs.open(session)).toEqual([]);
      expect(owner.store.sessions.cancelMark(session)).toBeNull();
    }),
    { numRuns: 60 },
  );
  expect(owner.events.filter(({ type }) => type === "agent_error")).toEqual([]);
});
