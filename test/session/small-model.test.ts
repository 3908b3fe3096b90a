import { expect, test } from "vitest";
import type { TurnModel, TurnSetup } from "../../src/agent/turn-setup.ts";
import { ModelCallFailed } from "../../src/provider/language-model.ts";
import { failure } from "../../src/protocol/ending.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { fakeModel, finish, parts, says, type FakeModel } from "../support/fake-model.ts";
import { looksAndFills, saysAndFills, sharing, shown, summaryOf } from "../support/summarizing.ts";
import { turnSetup } from "../support/turn-setup.ts";

/** A model for summaries alone. */
function small(model: FakeModel, more: Partial<TurnModel> = {}): TurnModel {
  return {
    ...turnSetup(model),
    model: { ...model, ref: "little/two" },
    modelId: "two",
    providerId: "little",
    ...more,
  };
}

const NOTE = parts(
  { type: "text", text: "THE NOTE" },
  finish("end_turn", { inputTokens: 100, outputTokens: 10 }),
);

/** A prompt that fills the context, and another one after it. */
async function summarised(main: FakeModel, summarizer: TurnModel, more: Partial<TurnSetup> = {}) {
  const house = dispatchHouse();
  const owner = house.move({ prepare: sharing(main, { summarizer, ...more }) });
  const session = owner.session();
  const first = owner.ask(session, "first").runId;
  await owner.ended(first);
  await owner.ended(owner.ask(session, "second").runId);
  return {
    owner,
    session,
    outcome: owner.dispatcher.record(first)?.outcome,
    [Symbol.asyncDispose]: async () => await house[Symbol.asyncDispose](),
  };
}

test("the model that is named for it writes the summary, and the model of the turn goes on from it", async () => {
  const [main, other] = [fakeModel(saysAndFills("answer"), says("more")), fakeModel(NOTE)];
  await using talk = await summarised(main, small(other));
  expect(other.calls.length).toBe(1);
  expect(shown(other.calls[0]).slice(0, 2)).toEqual(["user: first", "assistant: answer"]);
  expect(main.calls.length).toBe(2);
  expect(shown(main.calls[1])).toEqual([expect.stringMatching(/\n\nTHE NOTE$/), "user: second"]);
  const { store } = talk.owner;
  const summary = summaryOf(talk.owner, talk.session);
  expect(store.messages.list(talk.session).find(({ id }) => id === summary)).toMatchObject({
    model: "two",
    provider: "little",
  });
});

test("each model is accounted for itself, and its calls cost its own prices", async () => {
  const [main, other] = [fakeModel(saysAndFills("answer"), says("more")), fakeModel(NOTE)];
  const prices = { input: 1_000, output: 0, cachedInput: null };
  const cheap = { input: 10, output: 100, cachedInput: null };
  await using talk = await summarised(main, small(other, { prices: cheap }), { prices });
  expect(talk.outcome).toMatchObject({
    models: ["fake/one", "little/two"],
    usage: { inputTokens: 900, outputTokens: 60 },
    byModel: [
      { model: "fake/one", usage: { ...NO_USAGE, inputTokens: 800, outputTokens: 50 } },
      { model: "little/two", usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 10 } },
    ],
    turns: 1,
  });
  expect(talk.outcome?.costUsd).toBeCloseTo(0.8 + 0.002, 9);
  expect(talk.owner.store.sessions.get(talk.session)?.cost).toBeCloseTo(0.802, 9);
});

test("a session whose last message is such a summary goes on with the model of its last answer", async () => {
  const [main, other] = [fakeModel(saysAndFills("answer"), says("more")), fakeModel(NOTE)];
  await using house = dispatchHouse();
  const owner = house.move({ prepare: sharing(main, { summarizer: small(other) }) });
  const session = owner.session();
  await owner.ended(owner.ask(session, "first").runId);
  expect(owner.store.messages.list(session).at(-1)).toMatchObject({ model: "two" });
  expect(owner.store.messages.lastModel(session)).toEqual({ provider: "fake", model: "one" });
});

test("a model whose context is too small for the conversation is passed over, with a warning", async () => {
  const main = fakeModel(saysAndFills("answer"), says("THE NOTE"), says("more"));
  const other = fakeModel(NOTE);
  await using talk = await summarised(main, small(other, { contextWindow: 900 }));
  expect(other.calls.length).toBe(0);
  expect(main.calls.length).toBe(3);
  expect(talk.outcome?.models).toEqual(["fake/one"]);
  expect(talk.outcome?.warnings).toEqual([
    "little/two has no room for the conversation: fake/one summarises it",
  ]);
});

test("a key that is refused is told of its own provider", async () => {
  const refused = new ModelCallFailed(failure("auth_refused", "no", { httpStatus: 401 }), {
    retryable: false,
  });
  const other = fakeModel(async function* refuses() {
    yield* [];
    throw refused;
  });
  await using talk = await summarised(fakeModel(saysAndFills("answer")), small(other));
  expect(talk.owner.events.find(({ type }) => type === "agent_notification")).toMatchObject({
    providerId: "little",
  });
  expect(talk.outcome).toMatchObject({ reason: "end_turn", warnings: ["no summary: no"] });
});

test("what a summary costs counts against the limit of the run, by its own prices", async () => {
  const main = fakeModel(looksAndFills, says("done"));
  const free = { input: 0, output: 0, cachedInput: 0 };
  const dear = { input: 10_000, output: 0, cachedInput: null };
  const setup = turnSetup(main);
  const limits = { ...setup.limits, maxCostUsd: 1 };
  const summarizer = small(fakeModel(NOTE), { prices: dear });
  await using talk = await summarised(main, summarizer, { prices: free, limits });
  expect(talk.outcome).toMatchObject({ reason: "cost", costUsd: 1, turns: 1 });
});
