import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";
import { limitsOf } from "../../src/protocol/run-options.ts";
import { systemClock } from "../../src/shared/clock.ts";
import {
  callsTools,
  fakeModel,
  finish,
  hangs,
  parts,
  says,
  stalls,
} from "../support/fake-model.ts";
import { fakeTool, result } from "../support/fake-tool.ts";
import { memorySink } from "../support/memory-sink.ts";
import { takeTurn } from "../support/take-turn.ts";
import { turnSetup } from "../support/turn-setup.ts";

test("an answer is the text of the last message, and the outcome says what it took", async () => {
  const { outcome, sink } = await takeTurn(turnSetup(fakeModel(says("Hel", "lo"))));
  expect(outcome).toEqual({
    reason: "end_turn",
    failure: null,
    text: "Hello",
    messageId: "m1",
    partial: false,
    usage: NO_USAGE,
    byModel: [{ model: "fake/one", usage: NO_USAGE }],
    costUsd: 0,
    turns: 1,
    toolCalls: 0,
    models: ["fake/one"],
    denials: [],
    warnings: [],
  });
  expect(sink.messages).toEqual([
    {
      id: "m1",
      role: "assistant",
      streamed: "Hello",
      parts: [
        { type: "text", text: "Hello" },
        {
          type: "finish",
          reason: "end_turn",
          time: 1_700_000_000,
          step: { startedMs: 1_700_000_000_000, endedMs: 1_700_000_000_000, usage: NO_USAGE },
        },
      ],
    },
  ]);
});

test("a message keeps what its model call took, and a tool result when its tool ran", async () => {
  const usage = { ...NO_USAGE, inputTokens: 7, outputTokens: 3 };
  const call = { type: "tool_call", id: "c", name: "look", input: "{}" } as const;
  const model = fakeModel(parts(call, finish("tool_use", usage)), says("done"));
  const { sink } = await takeTurn(turnSetup(model, { tools: [fakeTool("look")] }));
  const [asked, told] = sink.messages;
  const span = { startedMs: expect.any(Number), endedMs: expect.any(Number) };
  expect(asked?.parts?.at(-1)).toMatchObject({ type: "finish", step: { ...span, usage } });
  expect(told?.parts?.[0]).toMatchObject({ type: "tool_result", span });
});

test.each(["", " \n\t"])("an answer of %j is empty_output", async (text) => {
  const { outcome } = await takeTurn(turnSetup(fakeModel(says(text))));
  expect(outcome.reason).toBe("empty_output");
});

test("an empty answer is fine where it is allowed", async () => {
  const { outcome } = await takeTurn(turnSetup(fakeModel(says()), { allowEmpty: true }));
  expect(outcome).toMatchObject({ reason: "end_turn", text: "" });
});

test("text of an earlier step does not save an empty last one", async () => {
  const model = fakeModel(
    parts(
      { type: "text", text: "first" },
      { type: "tool_call", id: "c", name: "look", input: "{}" },
      finish("tool_use"),
    ),
    says(),
  );
  const { outcome } = await takeTurn(turnSetup(model, { tools: [fakeTool("look")] }));
  expect(outcome).toMatchObject({ reason: "empty_output", text: "" });
});

test("an answer that was cut off is output_tokens, partial, and keeps its text", async () => {
  const model = fakeModel(parts({ type: "text", text: "half" }, finish("max_tokens")));
  const { outcome } = await takeTurn(turnSetup(model));
  expect(outcome).toMatchObject({ reason: "output_tokens", text: "half", partial: true });
});

test("a withheld answer is content_filter", async () => {
  const { outcome } = await takeTurn(turnSetup(fakeModel(parts(finish("content_filter")))));
  expect(outcome).toMatchObject({ reason: "content_filter", partial: false });
});

test("an answer that ended with an error is provider_error", async () => {
  const model = fakeModel(parts({ type: "text", text: "x" }, finish("error")));
  const { outcome } = await takeTurn(turnSetup(model));
  expect(outcome).toMatchObject({ reason: "provider_error", partial: true });
});

test("a finish that is not understood is an end like any other when there is an answer", async () => {
  const model = fakeModel(parts({ type: "text", text: "x" }, finish("unknown")));
  const { outcome } = await takeTurn(turnSetup(model));
  expect(outcome.reason).toBe("end_turn");
});

test("usage and cost are summed over the steps, and each step is reported", async () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 500_000 };
  const model = fakeModel(
    parts({ type: "tool_call", id: "c", name: "look", input: "{}" }, finish("tool_use", usage)),
    parts({ type: "text", text: "x" }, finish("end_turn", usage)),
  );
  const prices = { input: 2, output: 4, cachedInput: null };
  const { outcome, used } = await takeTurn(turnSetup(model, { prices, tools: [fakeTool("look")] }));
  expect(used.map(({ costUsd }) => costUsd)).toEqual([4, 4]);
  expect(outcome.costUsd).toBe(8);
  expect(outcome.usage).toMatchObject({ inputTokens: 2_000_000, outputTokens: 1_000_000 });
  expect(outcome.turns).toBe(2);
});

test("a price that is unknown makes the cost unknown, never 0", async () => {
  const usage = { inputTokens: 10, outputTokens: 10 };
  const model = fakeModel(parts({ type: "text", text: "x" }, finish("end_turn", usage)));
  const prices = { input: 2, output: null, cachedInput: null };
  const { outcome } = await takeTurn(turnSetup(model, { prices }));
  expect(outcome.costUsd).toBeNull();
});

test("the same calls with the same results five times in a row end the run", async () => {
  const model = fakeModel(callsTools({ name: "look", input: { at: 1 } }));
  const { outcome } = await takeTurn(turnSetup(model, { tools: [fakeTool("look")] }));
  expect(model.calls.length).toBe(5);
  expect(outcome).toMatchObject({ reason: "loop", toolCalls: 5 });
  expect(outcome.failure?.message).toContain("look");
});

test("the same calls with new results go on", async () => {
  let n = 0;
  const look = fakeTool("look", async () => {
    n += 1;
    return result(`seen ${n}`);
  });
  const steps = Array.from({ length: 12 }, () => callsTools({ name: "look" }));
  const { outcome } = await takeTurn(
    turnSetup(fakeModel(...steps, says("done")), { tools: [look] }),
  );
  expect(outcome).toMatchObject({ reason: "end_turn", toolCalls: 12 });
});

test("PER-2, CAN-18: a cancel before the first word leaves one canceled assistant message", async () => {
  const abort = new AbortController();
  abort.abort(new RunAborted("by_client"));
  const model = fakeModel(says("never"));
  const { outcome, sink } = await takeTurn(turnSetup(model), { signal: abort.signal });
  expect(model.calls).toEqual([]);
  expect(outcome).toMatchObject({ reason: "by_client", text: "", partial: false });
  expect(sink.messages).toMatchObject([
    {
      role: "assistant",
      parts: [
        { type: "finish", reason: "canceled", message: "User canceled request", details: "" },
      ],
    },
  ]);
});

test("INV-30: a cancel between two steps leaves the marker as well", async () => {
  const abort = new AbortController();
  const model = fakeModel(callsTools({ name: "look" }), says("never"));
  const { sink } = await takeTurn(turnSetup(model, { tools: [fakeTool("look")] }), {
    signal: abort.signal,
    onEvent: ({ type }) => {
      if (type === "tool.completed") abort.abort(new RunAborted("by_client"));
    },
  });
  const marks = sink.messages
    .flatMap(({ parts: all }) => all ?? [])
    .filter((part) => part.type === "finish" && part.reason === "canceled");
  expect(marks.length).toBe(1);
  expect(model.calls.length).toBe(1);
});

test("PER-15, PER-16: a cancel keeps the partial text, closes the reasoning and adds the marker", async () => {
  const abort = new AbortController();
  const model = fakeModel(
    stalls({ type: "reasoning", text: "hm" }, { type: "text", text: "so far" }),
  );
  const turn = takeTurn(turnSetup(model), { signal: abort.signal });
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new RunAborted("signal"));
  const { outcome, sink } = await turn;
  const time = 1_700_000_000;
  expect(sink.messages[0]?.parts).toEqual([
    { type: "reasoning", thinking: "hm", startedAt: time, finishedAt: time },
    { type: "text", text: "so far" },
    { type: "finish", time, reason: "canceled", message: "User canceled request", details: "" },
  ]);
  expect(outcome).toMatchObject({ reason: "signal", text: "so far", partial: true });
});

test("CAN-27: an abort after the last word changes nothing", async () => {
  const abort = new AbortController();
  const { outcome } = await takeTurn(turnSetup(fakeModel(says("done"))), {
    signal: abort.signal,
    onEvent: ({ type }) => {
      if (type === "step.completed") abort.abort(new RunAborted("by_client"));
    },
  });
  expect(outcome).toMatchObject({ reason: "end_turn", text: "done" });
});

test("silence of the model ends the run as idle_timeout", async () => {
  const limits = limitsOf({ idleTimeoutMs: 30 });
  const setup = turnSetup(fakeModel(stalls({ type: "text", text: "x" })), { limits });
  const { outcome, sink } = await takeTurn(setup, { clock: systemClock });
  expect(outcome).toMatchObject({ reason: "idle_timeout", text: "x", partial: true });
  expect(sink.messages[0]?.parts?.at(-1)).toMatchObject({ type: "finish", reason: "error" });
});

test("silence of a model that also ignores its abort ends the run all the same", async () => {
  const limits = limitsOf({ idleTimeoutMs: 20, killAfterMs: 20 });
  const setup = turnSetup(fakeModel(hangs()), { limits });
  const { outcome } = await takeTurn(setup, { clock: systemClock });
  expect(outcome.reason).toBe("idle_timeout");
});

test("a model that keeps talking is not idle", async () => {
  const limits = limitsOf({ idleTimeoutMs: 60 });
  const setup = turnSetup(
    fakeModel(async function* talks(_call, signal) {
      for (let n = 0; n < 8; n += 1) {
        await systemClock.sleep(15, signal);
        yield { type: "text", text: "." };
      }
      yield finish();
    }),
    { limits },
  );
  const { outcome } = await takeTurn(setup, { clock: systemClock });
  expect(outcome).toMatchObject({ reason: "end_turn", text: "........" });
});

test("a tool that tells of its progress is not idle, and is news once a second at most", async () => {
  const limits = limitsOf({ idleTimeoutMs: 60 });
  const slow = fakeTool("slow", async (_input, { signal, onProgress }) => {
    for (let n = 0; n < 8; n += 1) {
      await systemClock.sleep(15, signal);
      onProgress(n);
    }
    return result("done");
  });
  const model = fakeModel(callsTools({ name: "slow" }), says("ok"));
  const { outcome, events } = await takeTurn(turnSetup(model, { limits, tools: [slow] }), {
    clock: systemClock,
  });
  expect(outcome.reason).toBe("end_turn");
  expect(events.filter(({ type }) => type === "tool.progress").length).toBeLessThanOrEqual(1);
});

test("PER-7: a store that fails is the outcome, and nothing is thrown", async () => {
  const sink = memorySink();
  const { outcome } = await takeTurn(turnSetup(fakeModel(says("x"))), {
    sink,
    onEvent: ({ type }) => {
      if (type === "step.started") sink.fill();
    },
  });
  expect(outcome.reason).toBe("storage");
});

test("the turn leaves no listener on the signal it was given", async () => {
  const { signal } = new AbortController();
  const read = fakeTool("read", undefined, { readsOnly: true });
  const model = fakeModel(callsTools({ name: "read" }, { name: "read" }), says("x"));
  let during = 0;
  await takeTurn(turnSetup(model, { tools: [read] }), {
    signal,
    onEvent: () => {
      during = Math.max(during, getEventListeners(signal, "abort").length);
    },
  });
  expect(during).toBe(1);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
