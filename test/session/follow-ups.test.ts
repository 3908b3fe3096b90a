import { expect, test } from "vitest";
import { textOf } from "../../src/protocol/message.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { callsTools, fakeModel, gated, says } from "../support/fake-model.ts";
import { sharing } from "../support/summarizing.ts";

test("QUE-10: a prompt without a RunID is stored in order and is part of the next model call", async () => {
  await using house = dispatchHouse();
  const first = gated(callsTools({ name: "look" }));
  const model = fakeModel(first.step, says("done"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "look");
  await first.entered;
  owner.ask(session, "and the other", { runId: null });
  await new Promise((resolve) => setImmediate(resolve)); // it has become ready
  first.open();
  await owner.ended(runId);
  const messages = owner.store.messages.list(session);
  expect(messages.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "user",
    "assistant",
  ]);
  expect(model.calls[1]?.messages).toEqual(messages.slice(0, 4));
  expect(textOf(messages[3] ?? { parts: [] })).toBe("and the other");
  expect(owner.terminals().length).toBe(1);
});

test("QUE-22: each model call of a turn takes what is there", async () => {
  await using house = dispatchHouse();
  const first = gated(callsTools({ name: "look", input: { n: 1 } }));
  const second = gated(callsTools({ name: "look", input: { n: 2 } }));
  const model = fakeModel(first.step, second.step, says("done"));
  const owner = house.move({ prepare: sharing(model) });
  const session = owner.session();
  const { runId } = owner.ask(session, "go");
  await first.entered;
  owner.ask(session, "a", { runId: null });
  owner.ask(session, "b", { runId: null });
  await new Promise((resolve) => setImmediate(resolve));
  first.open();
  await second.entered;
  owner.ask(session, "c", { runId: null });
  await new Promise((resolve) => setImmediate(resolve));
  second.open();
  await owner.ended(runId);
  const asked = (n: number): string[] =>
    (model.calls[n]?.messages ?? []).filter(({ role }) => role === "user").map(textOf);
  expect([asked(0), asked(1), asked(2)]).toEqual([["go"], ["go", "a", "b"], ["go", "a", "b", "c"]]);
});
