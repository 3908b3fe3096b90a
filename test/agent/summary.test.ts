import { expect, test } from "vitest";
import { textOf } from "../../src/protocol/message.ts";
import {
  callsTools,
  fails,
  fakeModel,
  finish,
  parts,
  says,
  toolCall,
} from "../support/fake-model.ts";
import { fakeTool, result } from "../support/fake-tool.ts";
import { finishesIn, userMessage } from "../support/memory-sink.ts";
import { takeTurn } from "../support/take-turn.ts";
import { turnSetup } from "../support/turn-setup.ts";

const look = fakeTool("look");
const fills = (n: number) =>
  parts(toolCall({ name: "look", input: { n } }), finish("tool_use", { inputTokens: 900 }));
const roomy = (n: number) =>
  parts(toolCall({ name: "look", input: { n } }), finish("tool_use", { inputTokens: 100 }));

test("a context that is full again after each of two summaries ends the run as context", async () => {
  const model = fakeModel(fills(1), says("N1"), fills(2), says("N2"), fills(3), says("never"));
  const { outcome, sink } = await takeTurn(
    turnSetup(model, { contextWindow: 1000, tools: [look] }),
  );
  expect(model.calls.length).toBe(5);
  expect(outcome).toMatchObject({ reason: "context", failure: { reason: "context" }, turns: 3 });
  expect(outcome.failure?.remedy).toContain("new session");
  expect(finishesIn(sink).at(-1)).toBe("error");
});

test("summaries that make room may be as many as it takes", async () => {
  const steps = [1, 2, 3, 4].flatMap((n) => [roomy(n), fills(10 + n), says(`N${n}`)]);
  const model = fakeModel(...steps, says("done"));
  const { outcome } = await takeTurn(turnSetup(model, { contextWindow: 1000, tools: [look] }));
  expect(outcome).toMatchObject({ reason: "end_turn", text: "done", turns: 9 });
});

test("a summary keeps what its model call took, like every message of a model", async () => {
  const note = parts({ type: "text", text: "N1" }, finish("end_turn", { inputTokens: 850 }));
  const model = fakeModel(fills(1), note, says("done"));
  const { sink } = await takeTurn(turnSetup(model, { contextWindow: 1000, tools: [look] }));
  const summary = sink.messages.find(({ isSummary }) => isSummary === true);
  expect(summary?.parts?.at(-1)).toMatchObject({
    type: "finish",
    step: {
      startedMs: expect.any(Number) as number,
      endedMs: expect.any(Number) as number,
      usage: { inputTokens: 850 },
    },
  });
});

test("an answer stands when the summaries before it made no room", async () => {
  const last = parts({ type: "text", text: "done" }, finish("end_turn", { inputTokens: 900 }));
  const model = fakeModel(fills(1), says("N1"), fills(2), says("N2"), last, says("never"));
  const { outcome } = await takeTurn(turnSetup(model, { contextWindow: 1000, tools: [look] }));
  expect(outcome).toMatchObject({ reason: "end_turn", text: "done" });
  expect(model.calls.length).toBe(5);
});

test("what a tool brings counts before the next call is made", async () => {
  const big = fakeTool("look", async () => result("x".repeat(3000)));
  const model = fakeModel(
    parts(toolCall({ name: "look" }), finish("tool_use", { inputTokens: 100 })),
    says("NOTE"),
    says("done"),
  );
  const { outcome } = await takeTurn(turnSetup(model, { contextWindow: 1000, tools: [big] }));
  expect(model.calls[1]?.tools).toEqual([]);
  expect(outcome).toMatchObject({ reason: "end_turn", text: "done" });
});

test("a model that tells no usage is reckoned by the length of what it is shown", async () => {
  const big = fakeTool("look", async () => result("x".repeat(4000)));
  const model = fakeModel(callsTools({ name: "look" }), says("NOTE"), says("done"));
  const { outcome } = await takeTurn(turnSetup(model, { contextWindow: 1000, tools: [big] }));
  expect(outcome.text).toBe("done");
  expect(model.calls.length).toBe(3);
});

test("one prompt that is too long by itself is left to the provider: there is nothing to summarise", async () => {
  const model = fakeModel(
    parts({ type: "text", text: "ok" }, finish("end_turn", { inputTokens: 9 })),
  );
  const history = [userMessage("x".repeat(100_000))];
  const { outcome } = await takeTurn(turnSetup(model, { contextWindow: 1000 }), { history });
  expect(outcome.reason).toBe("end_turn");
  expect(model.calls.length).toBe(1);
});

test("where system prompt and tools alone leave no room, nothing is summarised", async () => {
  const model = fakeModel(fills(1), says("done"));
  const setup = turnSetup(model, { contextWindow: 1000, tools: [look], system: "x".repeat(3200) });
  const { outcome } = await takeTurn(setup);
  expect(outcome.text).toBe("done");
  expect(model.calls.length).toBe(2);
});

test("a window that is not known is never full", async () => {
  const model = fakeModel(fills(1), says("done"));
  const { outcome } = await takeTurn(turnSetup(model, { tools: [look] }));
  expect(outcome.text).toBe("done");
  expect(model.calls.length).toBe(2);
});

test("a summary is tried again like any call, and what was withdrawn is no part of it", async () => {
  const broken = fails({
    reason: "provider_unavailable",
    retryable: true,
    after: [{ type: "text", text: "half" }],
  });
  const model = fakeModel(fills(1), broken, says("NOTE"), says("done"));
  const { outcome, sink, events } = await takeTurn(
    turnSetup(model, { contextWindow: 1000, tools: [look] }),
  );
  expect(outcome.reason).toBe("end_turn");
  const note = sink.messages.find(({ isSummary }) => isSummary);
  expect(textOf({ parts: note?.parts ?? [] })).toBe("NOTE");
  expect(events.filter(({ type }) => type === "retry").length).toBe(1);
});

test("a summary that calls tools all the same runs none", async () => {
  const wild = parts(
    { type: "text", text: "NOTE" },
    toolCall({ name: "look" }),
    finish("tool_use"),
  );
  const model = fakeModel(fills(1), wild, says("done"));
  const { outcome, sink } = await takeTurn(
    turnSetup(model, { contextWindow: 1000, tools: [look] }),
  );
  expect(outcome).toMatchObject({ reason: "end_turn", toolCalls: 1 });
  const note = sink.messages.find(({ isSummary }) => isSummary);
  expect(note?.parts?.map(({ type }) => type)).toEqual(["text", "finish"]);
});
