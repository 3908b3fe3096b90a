import { expect, test } from "vitest";
import { dispatchHouse } from "../support/dispatch-house.ts";
import {
  callsTools,
  fails,
  fakeModel,
  finish,
  gated,
  parts,
  says,
  stalls,
} from "../support/fake-model.ts";
import {
  WINDOW,
  looksAndFills,
  saysAndFills,
  sharing,
  shown,
  stored,
  summaryOf,
} from "../support/summarizing.ts";
import { turnSetup } from "../support/turn-setup.ts";

test("QUE-15, INV-1: a turn that a summary interrupts goes on by itself, with one terminal event at its end", async () => {
  await using house = dispatchHouse();
  const summary = gated(says("THE NOTE"));
  const model = fakeModel(looksAndFills, summary.step, says("done"), says("second"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "find the bug");
  const behind = owner.ask(session, "next").runId;
  await summary.entered;
  expect(owner.terminals()).toEqual([]);
  expect(owner.dispatcher.isBusy(session)).toBe(true);
  summary.open();
  expect(await owner.ended(runId)).toMatchObject({ text: "done", failure: null, cancelled: false });
  await owner.ended(behind);
  // The same prompt, still first in order of acceptance.
  expect(owner.terminals().map((event) => event.runId)).toEqual([runId, behind]);
  expect(model.calls[1]).toMatchObject({ tools: [] });
  expect(shown(model.calls[2])).toEqual([
    expect.stringMatching(/^user: .*summarised.*\n\nTHE NOTE$/),
    expect.stringMatching(/^user: .*interrupted[^]*find the bug/),
  ]);
  expect(stored(owner, session).slice(0, 6)).toEqual([
    "user",
    "assistant tool_use",
    "tool stop",
    "summary end_turn",
    "user",
    "assistant end_turn",
  ]);
  const told = owner.events.filter((event) => event.type.startsWith("summary."));
  expect(told).toMatchObject([
    { type: "summary.started", runId },
    { type: "summary.completed", runId },
  ]);
});

test("nothing of a summary is told as an answer, and the final text is the last real answer", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(saysAndFills("the answer"), says("THE", " NOTE"));
  const owner = house.move({ prepare: sharing(model) });
  const { runId } = owner.ask(owner.session(), "p");
  expect((await owner.ended(runId)).text).toBe("the answer");
  const said = owner.events.flatMap((event) => (event.type === "text.delta" ? [event.text] : []));
  expect(said.join("")).toBe("the answer");
});

test("QUE-16: with its answer given, the turn is summarised and ends; the next prompt is shown the summary alone", async () => {
  await using house = dispatchHouse();
  const summary = gated(says("THE NOTE"));
  const model = fakeModel(saysAndFills("answer"), summary.step, says("second"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "first");
  await summary.entered;
  expect(owner.terminals()).toEqual([]);
  summary.open();
  expect(await owner.ended(runId)).toMatchObject({ text: "answer", failure: null });
  expect(model.calls.length).toBe(2);
  const note = owner.store.messages.list(session).at(-1);
  expect(note).toMatchObject({ isSummary: true, id: summaryOf(owner, session) });
  await owner.ended(owner.ask(session, "and now?").runId);
  expect(shown(model.calls[2])).toEqual([
    expect.stringMatching(/^user: .*\n\nTHE NOTE$/),
    "user: and now?",
  ]);
});

test("QUE-16: usage and cost of the summary are the run's", async () => {
  await using house = dispatchHouse();
  const note = parts({ type: "text", text: "n" }, finish("end_turn", { inputTokens: 100 }));
  const prices = { input: 10_000, output: 0, cachedInput: null };
  const model = fakeModel(saysAndFills("answer"), note);
  const owner = house.move({ prepare: sharing(model, { prices }) });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  await owner.ended(runId);
  expect(owner.dispatcher.record(runId)?.outcome).toMatchObject({
    usage: { inputTokens: 900, outputTokens: 50 },
    costUsd: 9,
    turns: 1,
  });
  expect(owner.store.sessions.get(session)).toMatchObject({ promptTokens: 900, cost: 9 });
});

test.each(["cancel", "clear"] as const)(
  "QUE-17, W-16: a %s while the continuation is due leaves exactly one terminal event",
  async (what) => {
    await using house = dispatchHouse();
    const summary = gated(says("THE NOTE"));
    const model = fakeModel(looksAndFills, summary.step, says("done"));
    const owner = house.move({ prepare: sharing(model) });
    const session = owner.session();
    const { runId } = owner.ask(session, "p");
    await summary.entered;
    // The interrupted prompt waits in no queue: there is nothing of it to clear, and it is cancelled as the active one.
    const hit =
      what === "clear"
        ? owner.dispatcher.clearQueue(session)
        : owner.dispatcher.cancelSession(session, "by_client");
    expect(hit).toEqual(what === "clear" ? 0 : { active: 1, reserved: 0, queued: 0 });
    summary.open();
    expect(await owner.ended(runId)).toMatchObject({ cancelled: what === "cancel" });
    await owner.dispatcher.shutdown();
    expect(owner.terminals(runId).length).toBe(1);
    expect(model.calls.length).toBe(what === "cancel" ? 2 : 3);
    const goesOn = ["summary end_turn", "user", "assistant end_turn"];
    expect(stored(owner, session).slice(3)).toEqual(
      what === "cancel" ? ["assistant canceled"] : goesOn,
    );
  },
);

test("CAN-28, PER-23, W-10: a cancel while summarising ends the whole prompt, and the partial summary is gone", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(looksAndFills, stalls({ type: "text", text: "The user asked" }));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  await owner.seen((event) => event.type === "summary.started");
  const partial = owner.store.messages.list(session).at(-1);
  expect(partial).toMatchObject({ isSummary: true });
  owner.dispatcher.cancelSession(session, "by_client");
  expect(await owner.ended(runId)).toMatchObject({ cancelled: true });
  await owner.dispatcher.shutdown();
  expect(owner.terminals(runId).length).toBe(1);
  expect(model.calls.length).toBe(2);
  expect(stored(owner, session)).toEqual([
    "user",
    "assistant tool_use",
    "tool stop",
    "assistant canceled",
  ]);
  expect(summaryOf(owner, session)).toBeNull();
  const gone = owner.events.filter(
    (event) => event.type === "message" && event.lifecycle === "deleted",
  );
  expect(gone).toMatchObject([{ runId, message: { id: partial?.id, isSummary: true } }]);
});

test("CAN-28: so does a cancel of a summary after the answer", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(saysAndFills("answer"), stalls());
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  await owner.seen((event) => event.type === "summary.started");
  owner.dispatcher.cancelSession(session, "by_client");
  expect(await owner.ended(runId)).toMatchObject({ cancelled: true, text: "answer" });
  expect(stored(owner, session)).toEqual(["user", "assistant end_turn", "assistant canceled"]);
});

test("PER-23: a summary that fails is marked, its error is the run's, and the conversation stays as it was", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(looksAndFills, fails({ reason: "provider_error" }), says("second"));
  const owner = house.move({ prepare: sharing(model, { contextWindow: 1000 }) });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  expect(await owner.ended(runId)).toMatchObject({
    failure: { reason: "provider_error", message: "fake: provider_error" },
    cancelled: false,
  });
  expect(owner.terminals(runId).length).toBe(1);
  expect(stored(owner, session)).toEqual([
    "user",
    "assistant tool_use",
    "tool stop",
    "summary error",
  ]);
  expect(summaryOf(owner, session)).toBeNull();
  await owner.ended(owner.ask(session, "again").runId);
  expect(model.calls[2]?.messages.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "user",
  ]);
});

test.each([
  ["fails", fails({ reason: "provider_unavailable" })],
  ["is cut off", parts({ type: "text", text: "half" }, finish("max_tokens"))],
  ["is empty", says("")],
])("an answer is whole when its summary %s: completed, with a warning", async (_how, step) => {
  await using house = dispatchHouse();
  const owner = house.move({ prepare: sharing(fakeModel(saysAndFills("answer"), step)) });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  expect(await owner.ended(runId)).toMatchObject({ failure: null, text: "answer" });
  expect(owner.events).toContainEqual(
    expect.objectContaining({ type: "warning", runId, code: "summary_failed" }),
  );
  expect(owner.dispatcher.record(runId)?.outcome).toMatchObject({
    reason: "end_turn",
    warnings: [expect.stringMatching(/^no summary: /)],
  });
  expect(stored(owner, session).at(-1)).toBe("summary error");
  expect(summaryOf(owner, session)).toBeNull();
});

test("a prompt whose history is too long already is summarised first; what it asks is shown in full", async () => {
  await using house = dispatchHouse();
  const long = "x".repeat(3600);
  const model = fakeModel(says(long), says("THE NOTE"), says("done"));
  let contextWindow = 1_000_000;
  const owner = house.move({
    prepare: async () => turnSetup(model, { ...WINDOW, contextWindow }),
  });
  const session = owner.session();
  await owner.ended(owner.ask(session, "first").runId);
  contextWindow = 1000;
  await owner.ended(owner.ask(session, "the question").runId);
  expect(shown(model.calls[1]).slice(0, 2)).toEqual(["user: first", `assistant: ${long}`]);
  expect(shown(model.calls[1])).not.toContain("user: the question");
  expect(shown(model.calls[2])).toEqual([expect.stringMatching(/THE NOTE$/), "user: the question"]);
  // And so it is read again later.
  contextWindow = 1_000_000;
  await owner.ended(owner.ask(session, "third").runId);
  expect(shown(model.calls[3])).toEqual([
    expect.stringMatching(/THE NOTE$/),
    "user: the question",
    "assistant: done",
    "user: third",
  ]);
});

test("a configuration can do without summaries", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(saysAndFills("answer"));
  const owner = house.move({ prepare: sharing(model, { autoSummarize: false }) });
  await owner.ended(owner.ask(owner.session(), "p").runId);
  expect(model.calls.length).toBe(1);
});

test("QUE-33: prompts queued during a summary run after the unfinished turn, and their errors are their own", async () => {
  await using house = dispatchHouse();
  const summary = gated(says("THE NOTE"));
  const model = fakeModel(looksAndFills, summary.step, says("done"), fails(), says("third"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const first = owner.ask(session, "first").runId;
  await summary.entered;
  const bad = owner.ask(session, "bad").runId;
  const third = owner.ask(session, "third").runId;
  summary.open();
  await owner.ended(third);
  expect(
    owner.terminals().map(({ runId, text, failure }) => [runId, text, failure?.reason]),
  ).toEqual([
    [first, "done", undefined],
    [bad, "", "provider_error"],
    [third, "third", undefined],
  ]);
  const errors = owner.events.filter((event) => event.type === "agent_error");
  expect(errors).toMatchObject([{ runId: bad }]);
});

test("QUE-10: what joined a turn is named in its continuation, once it is only in the summary", async () => {
  await using house = dispatchHouse();
  const first = gated(callsTools({ name: "look" }));
  const model = fakeModel(first.step, looksAndFills, says("THE NOTE"), says("done"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "go");
  await first.entered;
  owner.ask(session, "and more", { runId: null });
  await new Promise((resolve) => setImmediate(resolve));
  first.open();
  await owner.ended(runId);
  expect(shown(model.calls[3])[1]).toMatch(/go\n\nand more/);
});
