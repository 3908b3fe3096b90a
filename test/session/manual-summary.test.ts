import { expect, test } from "vitest";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { fakeModel, gated, says, stalls } from "../support/fake-model.ts";
import { failureOf } from "../support/project-folder.ts";
import { sharing, shown, stored, summaryOf } from "../support/summarizing.ts";

test("QUE-31: a busy session is not summarised, and nothing changes", async () => {
  await using house = dispatchHouse();
  const gate = gated(says("ok"));
  const owner = house.move({ steps: { p: [gate.step] } });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  await gate.entered;
  const before = owner.store.messages.list(session);
  const told = owner.events.length;
  const refused = await failureOf(owner.dispatcher.summarize(session));
  expect(refused).toMatchObject({ reason: "session_busy" });
  expect(owner.store.messages.list(session)).toEqual(before);
  expect(owner.events.length).toBe(told);
  expect(owner.store.runs.open(session).length).toBe(1);
  gate.open();
  expect(await owner.ended(runId)).toMatchObject({ text: "ok", failure: null });
});

test("QUE-32: prompts that come during a manual summary are handed off after it, as after a turn", async () => {
  await using house = dispatchHouse();
  const summary = gated(says("THE NOTE"));
  const model = fakeModel(says("answer"), summary.step, says("second"), says("third"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  await owner.ended(owner.ask(session, "first").runId);
  const summarised = owner.dispatcher.summarize(session);
  await summary.entered;
  const second = owner.ask(session, "second?").runId;
  owner.ask(session, "third?", { runId: null });
  const seen = model.calls.length;
  expect(owner.dispatcher.isBusy(session)).toBe(true);
  expect(seen).toBe(2);
  summary.open();
  expect(await summarised).toMatchObject({ reason: "end_turn" });
  expect(await owner.ended(second)).toMatchObject({ text: "second" });
  expect(shown(model.calls[2])).toEqual([
    expect.stringMatching(/THE NOTE$/),
    "user: second?",
    "user: third?", // nobody waits for it: it joins the first turn that runs
  ]);
  expect(owner.terminals().length).toBe(2);
});

test("a conversation without a message, or with nothing new since its summary, needs no model", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(says("answer"), says("THE NOTE"), says("never"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  expect(await owner.dispatcher.summarize(session)).toMatchObject({ reason: "end_turn" });
  expect(model.calls.length).toBe(0);
  await owner.ended(owner.ask(session, "p").runId);
  await owner.dispatcher.summarize(session);
  await owner.dispatcher.summarize(session);
  expect(model.calls.length).toBe(2);
  expect(stored(owner, session)).toEqual(["user", "assistant end_turn", "summary end_turn"]);
});

test("PER-23: a manual summary that is cancelled leaves the conversation as it was", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(says("answer"), stalls({ type: "text", text: "half" }));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  await owner.ended(owner.ask(session, "p").runId);
  const before = owner.store.messages.list(session);
  const summarised = failureOf(owner.dispatcher.summarize(session));
  await owner.seen((event) => event.type === "summary.started");
  owner.dispatcher.cancelSession(session, "by_client");
  expect(await summarised).toMatchObject({ reason: "by_client" });
  expect(owner.store.messages.list(session)).toEqual(before);
  expect(summaryOf(owner, session)).toBeNull();
});
