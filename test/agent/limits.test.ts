import { expect, test } from "vitest";
import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import type { TurnEvent } from "../../src/protocol/run-event.ts";
import { limitsOf, type RunOptions } from "../../src/protocol/run-options.ts";
import type { Usage } from "../../src/protocol/usage.ts";
import {
  fakeModel,
  finish,
  parts,
  says,
  toolCall,
  type FakeModel,
  type ModelStep,
} from "../support/fake-model.ts";
import { fakeTool } from "../support/fake-tool.ts";
import { finishesIn, userMessage } from "../support/memory-sink.ts";
import { takeTurn, type TakenTurn } from "../support/take-turn.ts";
import { turnSetup } from "../support/turn-setup.ts";

const PRICES = { input: 1, output: 10, cachedInput: 0.1 };

/** Says something and looks, `calls` times. */
const looks = (n: number, usage: Partial<Usage> = {}, calls = 1): ModelStep =>
  parts(
    { type: "text", text: `step ${n}` },
    ...Array.from({ length: calls }, (_, i) =>
      toolCall({ id: `c${n}-${i}`, name: "look", input: { n, i } }),
    ),
    finish("tool_use", usage),
  );
const answers = (usage: Partial<Usage> = {}): ModelStep =>
  parts({ type: "text", text: "done" }, finish("end_turn", usage));

const bounded = (model: FakeModel, options: RunOptions, more: Partial<TurnSetup> = {}): TurnSetup =>
  turnSetup(model, {
    limits: limitsOf({ retryMaxWaitMs: 2, ...options }),
    prices: PRICES,
    tools: [fakeTool("look")],
    ...more,
  });

const warned = ({ events }: { readonly events: readonly TurnEvent[] }): string[] =>
  events.flatMap((event) =>
    event.type === "warning" && event.code === "limit_near" ? [event.message] : [],
  );

const started = ({ events }: TakenTurn): string[] =>
  events.flatMap((event) => (event.type === "tool.started" ? [event.callId] : []));

const resultsIn = ({ sink }: TakenTurn) =>
  sink.messages
    .flatMap(({ parts: all }) => all ?? [])
    .flatMap((part) => (part.type === "tool_result" ? [part] : []));

test("a run that wants more turns than it may have ends as turns, with the text of its last message", async () => {
  const model = fakeModel(looks(1), looks(2), looks(3), answers());
  const taken = await takeTurn(bounded(model, { maxTurns: 2 }));
  expect(model.calls.length).toBe(2);
  expect(taken.outcome).toMatchObject({
    reason: "turns",
    text: "step 2",
    messageId: "m3",
    partial: true,
    turns: 2,
    toolCalls: 2,
    failure: {
      message: "the run has used 2 of 2 turns (--max-turns)",
      remedy: "raise --max-turns, or ask for less",
    },
  });
  expect(resultsIn(taken).map(({ toolCallId }) => toolCallId)).toEqual(["c1-0", "c2-0"]);
  expect(finishesIn(taken.sink).at(-1)).toBe("error");
});

test("the last turn that is allowed may be the answer", async () => {
  const model = fakeModel(looks(1), answers());
  const { outcome, events } = await takeTurn(bounded(model, { maxTurns: 2 }));
  expect(outcome).toMatchObject({ reason: "end_turn", text: "done", partial: false, turns: 2 });
  expect(warned({ events })).toEqual([]);
});

test("calls beyond the limit of tool calls do not run and get an error; the run ends as tool_calls", async () => {
  const model = fakeModel(looks(1, {}, 2), looks(2, {}, 3), answers());
  const taken = await takeTurn(bounded(model, { maxToolCalls: 3 }));
  expect(model.calls.length).toBe(2);
  expect(started(taken)).toEqual(["c1-0", "c1-1", "c2-0"]);
  expect(resultsIn(taken).map(({ toolCallId, isError }) => [toolCallId, isError])).toEqual([
    ["c1-0", false],
    ["c1-1", false],
    ["c2-0", false],
    ["c2-1", true],
    ["c2-2", true],
  ]);
  const why = "the model asked for more than 3 tool calls (--max-tool-calls)";
  expect(resultsIn(taken).at(-1)?.content).toBe(`Error: not run: ${why}`);
  expect(taken.outcome).toMatchObject({
    reason: "tool_calls",
    failure: { message: why, remedy: "raise --max-tool-calls, or ask for less" },
    text: "step 2",
    partial: true,
    toolCalls: 3,
  });
});

test("all tool calls that are allowed may be used, and the model still answers", async () => {
  const model = fakeModel(looks(1, {}, 3), answers());
  const taken = await takeTurn(bounded(model, { maxToolCalls: 3 }));
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: "done", toolCalls: 3 });
  expect(warned(taken)).toEqual(["the run has used 3 of 3 tool calls (--max-tool-calls)"]);
});

test("no model call is made once input and output have used up the tokens", async () => {
  const usage = { inputTokens: 40, outputTokens: 10, cachedInputTokens: 30, reasoningTokens: 5 };
  const model = fakeModel(looks(1, usage), looks(2, usage), answers());
  const { outcome } = await takeTurn(bounded(model, { maxTokens: 100 }));
  expect(model.calls.length).toBe(2);
  expect(outcome).toMatchObject({
    reason: "tokens",
    text: "step 2",
    partial: true,
    failure: { message: "the run has used 100 of 100 tokens (--max-tokens)" },
  });
});

test("an answer that went beyond the tokens is an answer", async () => {
  const model = fakeModel(looks(1, { inputTokens: 79 }), answers({ inputTokens: 5000 }));
  const { outcome } = await takeTurn(bounded(model, { maxTokens: 100 }));
  expect(outcome).toMatchObject({ reason: "end_turn", warnings: [] });
});

test("no model call is made once the run has cost what it may", async () => {
  const usage = { inputTokens: 50_000, outputTokens: 5000 };
  const model = fakeModel(looks(1, usage), looks(2, usage), looks(3, usage), answers());
  const { outcome } = await takeTurn(bounded(model, { maxCostUsd: 0.15 }));
  expect(model.calls.length).toBe(2);
  expect(outcome).toMatchObject({
    reason: "cost",
    costUsd: 0.2,
    text: "step 2",
    partial: true,
    failure: { message: "the run has used 0.2 of 0.15 US dollars (--max-cost)" },
  });
});

test("cached input whose price is not known is bounded by that of other input", async () => {
  const usage = { inputTokens: 100_000, cachedInputTokens: 90_000 };
  const prices = { ...PRICES, cachedInput: null };
  const model = fakeModel(looks(1, usage), answers());
  const over = await takeTurn(bounded(model, { maxCostUsd: 0.1 }, { prices }));
  expect(over.outcome).toMatchObject({ reason: "cost", costUsd: null });
  const again = fakeModel(looks(1, usage), answers());
  const within = await takeTurn(bounded(again, { maxCostUsd: 0.2 }, { prices }));
  expect(within.outcome.reason).toBe("end_turn");
});

test("a cost that is not known is no cost below a limit", async () => {
  const prices = { input: null, output: null, cachedInput: null };
  const model = fakeModel(looks(1, { inputTokens: 1 }), answers());
  const { outcome } = await takeTurn(bounded(model, { maxCostUsd: 100 }, { prices }));
  expect(outcome.reason).toBe("cost");
  expect(outcome.failure?.message).toContain("not known");
});

test("a limit of 0 is none", async () => {
  const none = { maxTurns: 0, maxToolCalls: 0, maxTokens: 0, maxCostUsd: 0 };
  const model = fakeModel(looks(1, { inputTokens: 1e6 }), answers());
  const { outcome } = await takeTurn(bounded(model, none));
  expect(outcome).toMatchObject({ reason: "end_turn", warnings: [] });
});

test("each limit is warned of once, when four fifths of it are used", async () => {
  const usage = { inputTokens: 10_000 };
  const steps = Array.from({ length: 9 }, (_, n) => looks(n, usage));
  const model = fakeModel(...steps, answers(usage));
  const limits = { maxTurns: 10, maxToolCalls: 10, maxTokens: 100_000, maxCostUsd: 0.1 };
  const taken = await takeTurn(bounded(model, limits));
  const told = [
    "the run has used 8 of 10 turns (--max-turns)",
    "the run has used 8 of 10 tool calls (--max-tool-calls)",
    "the run has used 80000 of 100000 tokens (--max-tokens)",
    "the run has used 0.08 of 0.1 US dollars (--max-cost)",
  ];
  expect(warned(taken)).toEqual(told);
  expect(taken.outcome).toMatchObject({ reason: "end_turn", turns: 10, warnings: told });
});

test("a summary counts its tokens and is no turn: none is left for the answer", async () => {
  const summary = parts({ type: "text", text: "NOTE" }, finish("end_turn", { inputTokens: 200 }));
  const full = { inputTokens: 900 };
  const play = (): FakeModel => fakeModel(looks(1, full), summary, answers());
  const model = play();
  const short = await takeTurn(bounded(model, { maxTokens: 1100 }, { contextWindow: 1000 }));
  expect(model.calls.length).toBe(2);
  expect(short.outcome).toMatchObject({ reason: "tokens", text: "step 1", turns: 1 });
  const enough = await takeTurn(
    bounded(play(), { maxTokens: 1101, maxTurns: 2 }, { contextWindow: 1000 }),
  );
  expect(enough.outcome).toMatchObject({ reason: "end_turn", text: "done", turns: 2 });
});

test("no summary is made for a run that has no tokens left for it", async () => {
  const history = [userMessage("hello")];
  const model = fakeModel(looks(1, { inputTokens: 900 }), says("never"));
  const options = { maxTokens: 900 };
  const before = await takeTurn(bounded(model, options, { contextWindow: 1000 }), { history });
  expect(before.outcome.reason).toBe("tokens");
  expect(model.calls.length).toBe(1);
  const last = fakeModel(answers({ inputTokens: 900 }), says("never"));
  const after = await takeTurn(bounded(last, options, { contextWindow: 1000 }), { history });
  expect(last.calls.length).toBe(1);
  expect(after.outcome).toMatchObject({
    reason: "end_turn",
    text: "done",
    warnings: ["no summary: the run has used 900 of 900 tokens (--max-tokens)"],
  });
  expect(finishesIn(after.sink)).toEqual(["end_turn"]);
});

test("the last turn that is allowed does not keep the conversation from being summarised", async () => {
  const model = fakeModel(answers({ inputTokens: 900 }), says("NOTE"));
  const { outcome } = await takeTurn(bounded(model, { maxTurns: 1 }, { contextWindow: 1000 }));
  expect(model.calls.length).toBe(2);
  expect(outcome).toMatchObject({ reason: "end_turn", text: "done", warnings: [] });
});

test("prompts do not join a run that has no turn left for them", async () => {
  let asked = 0;
  const model = fakeModel(looks(1), answers());
  const { outcome } = await takeTurn(bounded(model, { maxTurns: 1 }), {
    takeFollowUps: () => {
      asked += 1;
      return [];
    },
  });
  expect(outcome.reason).toBe("turns");
  expect(asked).toBe(1);
});

test("a deadline that fired is the end, whatever limit is reached with it", async () => {
  const abort = new AbortController();
  const { outcome } = await takeTurn(bounded(fakeModel(looks(1)), { maxTurns: 1 }), {
    signal: abort.signal,
    onEvent: ({ type }) => {
      if (type === "tool.completed") abort.abort(new RunAborted("timeout"));
    },
  });
  expect(outcome).toMatchObject({ reason: "timeout", text: "step 1", partial: true });
});

test.each([
  ["with the last word", "step.completed", null],
  ["while the conversation is summarised", "summary.started", 1000],
] as const)("a deadline that fires %s is the end", async (_when, at, contextWindow) => {
  const abort = new AbortController();
  const model = fakeModel(answers({ inputTokens: 900 }), says("NOTE"));
  const { outcome } = await takeTurn(bounded(model, {}, { contextWindow }), {
    signal: abort.signal,
    onEvent: ({ type }) => {
      if (type === at) abort.abort(new RunAborted("timeout"));
    },
  });
  expect(outcome).toMatchObject({ reason: "timeout", text: "done" });
});
