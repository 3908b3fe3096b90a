import { expect, test } from "vitest";
import {
  FIRST_STATUS,
  observe,
  plainStatus,
  statusParts,
  type RunStatus,
} from "../../src/cli/run-status.ts";
import type { RunEvent } from "../../src/protocol/run-event.ts";
import { runId, says, sessionId } from "../support/followed-run.ts";

const own = (event: object): RunEvent => ({ ...event, runId, sessionId }) as RunEvent;
/** One second between events. */
const after = (...events: readonly RunEvent[]): RunStatus =>
  events.reduce((status, event, at) => observe(status, event, (at + 1) * 1000), FIRST_STATUS);

const step = own({ type: "step.started", n: 1, model: "fake/one", messageId: "m1" });
const calls = (callId: string, name: string): RunEvent =>
  own({ type: "tool.started", callId, name, input: "{}" });
const ends = (callId: string): RunEvent =>
  own({ type: "tool.completed", callId, isError: false, output: "", truncated: false, ms: 1 });
const used = (inputTokens: number, outputTokens: number): RunEvent =>
  own({
    type: "step.completed",
    usage: { inputTokens, cachedInputTokens: 0, outputTokens, reasoningTokens: 0 },
    finishReason: "end_turn",
  });

test.each([
  [[], "waiting for the model", 0],
  [[own({ type: "run.queued", ahead: 1 })], "waiting behind 1 other prompt", 1000],
  [[own({ type: "run.queued", ahead: 2 })], "waiting behind 2 other prompts", 1000],
  [[step], "waiting for fake/one", 1000],
  [[step, own({ type: "reasoning.delta", messageId: "m1", text: "Hm" })], "thinking", 2000],
  [[step, says("a"), says("b"), says("c")], "answering", 2000],
  [[step, calls("1", "bash")], "running bash", 2000],
  [[step, calls("1", "bash"), calls("2", "ls")], "running ls and 1 more", 3000],
  [[step, calls("1", "bash"), calls("2", "ls"), ends("2")], "running bash", 4000],
  [[step, calls("1", "bash"), ends("1")], "waiting for the model", 3000],
  [[own({ type: "summary.started", messageId: "m1" })], "summarising the conversation", 1000],
  [
    [step, own({ type: "retry", attempt: 1, max: 4, waitMs: 1500, cause: "", httpStatus: 500 })],
    "waiting 1.5 s for another try",
    2000,
  ],
] as const)("the phase is that of the last event that began one: %#", (events, phase, since) => {
  expect(after(...events)).toMatchObject({ phase, since });
});

test("tokens are those of all model calls that have ended, summaries too", () => {
  const summary = own({ ...used(1000, 10), type: "summary.completed", messageId: "m1" });
  expect(after(step, used(100, 20), step, used(200, 5), summary).tokens).toBe(1335);
});

test("the numbers stand apart from the words, and grow readable", () => {
  const status = after(step, used(100, 20));
  expect(statusParts(FIRST_STATUS, 999)).toEqual(["waiting for the model", " · 0s"]);
  expect(statusParts(status, 60_999)).toEqual(["waiting for fake/one", " · 59s", " · 120 tokens"]);
  expect(statusParts({ ...status, tokens: 12_345 }, 66_000).slice(1)).toEqual([
    " · 1m05s",
    " · 12.3k tokens",
  ]);
  expect(statusParts({ ...status, tokens: 2_500_000 }, 3_721_000).slice(1)).toEqual([
    " · 1h02m",
    " · 2.5M tokens",
  ]);
});

test("a log gets a sentence, with the time of the phase and that of the run", () => {
  expect(plainStatus(after(step, used(100, 20), calls("1", "bash")), 90_000)).toBe(
    "running bash for 1m27s; 1m30s in all, 120 tokens so far",
  );
});
