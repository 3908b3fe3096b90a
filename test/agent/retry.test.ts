import { expect, test } from "vitest";
import { limitsOf } from "../../src/protocol/run-options.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import { callsTools, fails, fakeModel, finish, parts, says } from "../support/fake-model.ts";
import { fakeTool } from "../support/fake-tool.ts";
import { handClock } from "../support/hand-clock.ts";
import { takeTurn } from "../support/take-turn.ts";
import { turnSetup } from "../support/turn-setup.ts";

const limits = limitsOf({});
const unavailable = { reason: "provider_unavailable", retryable: true, httpStatus: 503 } as const;

test("a call that fails for a moment is made again, and the run completes", async () => {
  const model = fakeModel(fails(unavailable), fails(unavailable), says("there"));
  const { outcome } = await takeTurn(turnSetup(model, { limits }));
  expect(outcome).toMatchObject({ reason: "end_turn", text: "there", turns: 1 });
  expect(model.calls.length).toBe(3);
});

test("what a failed attempt said is withdrawn, and only the last attempt is kept", async () => {
  const broken = fails({ ...unavailable, after: [{ type: "text", text: "half of it" }] });
  const { outcome, sink, events } = await takeTurn(
    turnSetup(fakeModel(broken, says("all of it")), { limits }),
  );
  expect(outcome.text).toBe("all of it");
  expect(sink.messages.map(({ streamed }) => streamed)).toEqual(["all of it"]);
  expect(events.map(({ type }) => type)).toEqual([
    "step.started",
    "text.reset",
    "retry",
    "message.completed",
    "step.completed",
  ]);
});

test("tool calls of a failed attempt are forgotten: none of them runs", async () => {
  let ran = 0;
  const tool = fakeTool("touch", async () => {
    ran += 1;
    return { content: "", isError: false, truncated: false };
  });
  const broken = fails({
    ...unavailable,
    after: [{ type: "tool_call", id: "x", name: "touch", input: "{}" }],
  });
  await takeTurn(turnSetup(fakeModel(broken, says("ok")), { limits, tools: [tool] }));
  expect(ran).toBe(0);
});

test("an attempt that said nothing is retried without a reset", async () => {
  const { events } = await takeTurn(
    turnSetup(fakeModel(fails(unavailable), says("x")), { limits }),
  );
  expect(events.filter(({ type }) => type === "text.reset")).toEqual([]);
});

test("the waits double from half a second, and each is an event that counts the attempts", async () => {
  const clock = handClock();
  const model = fakeModel(fails(unavailable));
  const { outcome, events } = await takeTurn(turnSetup(model, { limits }), { clock });
  expect(clock.sleeps).toEqual([500, 1000, 2000, 4000]);
  expect(events.filter(({ type }) => type === "retry")).toEqual(
    [500, 1000, 2000, 4000].map((waitMs, index) => ({
      type: "retry",
      attempt: index + 1,
      max: 4,
      waitMs,
      cause: "fake: provider_unavailable",
      httpStatus: 503,
    })),
  );
  expect(model.calls.length).toBe(5);
  expect(outcome).toMatchObject({ reason: "provider_unavailable", turns: 0 });
});

test("the waits are spread by a quarter to either side", async () => {
  for (const [random, wait] of [
    [0, 375],
    [0.999, 625],
  ] as const) {
    const clock = handClock();
    const model = fakeModel(fails(unavailable), says("x"));
    await takeTurn(turnSetup(model, { limits }), { clock, random: () => random });
    expect(clock.sleeps).toEqual([wait]);
  }
});

test("no wait is longer than the limit", async () => {
  const clock = handClock();
  const setup = turnSetup(fakeModel(fails(unavailable)), {
    limits: limitsOf({ retries: 6, retryMaxWaitMs: 3000 }),
  });
  await takeTurn(setup, { clock });
  expect(clock.sleeps).toEqual([500, 1000, 2000, 3000, 3000, 3000]);
});

test("Retry-After is waited for as it says", async () => {
  const clock = handClock();
  const model = fakeModel(fails({ ...unavailable, retryAfterMs: 7_500 }), says("x"));
  const { outcome } = await takeTurn(turnSetup(model, { limits }), { clock });
  expect(clock.sleeps).toEqual([7_500]);
  expect(outcome.reason).toBe("end_turn");
});

test("a Retry-After beyond the limit gives up at once", async () => {
  const clock = handClock();
  const model = fakeModel(fails({ ...unavailable, retryAfterMs: 60_001 }), says("x"));
  const { outcome } = await takeTurn(turnSetup(model, { limits }), { clock });
  expect(clock.sleeps).toEqual([]);
  expect(model.calls.length).toBe(1);
  expect(outcome.reason).toBe("provider_unavailable");
});

test("what may not be retried is not", async () => {
  const model = fakeModel(fails({ reason: "auth_refused" }), says("x"));
  const { outcome } = await takeTurn(turnSetup(model, { limits }));
  expect(model.calls.length).toBe(1);
  expect(outcome).toMatchObject({ reason: "auth_refused", failure: { provider: "fake" } });
});

test("with no retries allowed the first failure is the end", async () => {
  const model = fakeModel(fails(unavailable), says("x"));
  await takeTurn(turnSetup(model, { limits: limitsOf({ retries: 0 }) }));
  expect(model.calls.length).toBe(1);
});

test("each step has all its attempts", async () => {
  const model = fakeModel(
    fails(unavailable),
    callsTools({ name: "look" }),
    fails(unavailable),
    says("done"),
  );
  const setup = turnSetup(model, { limits: limitsOf({ retries: 1 }), tools: [fakeTool("look")] });
  const { outcome } = await takeTurn(setup);
  expect(outcome).toMatchObject({ reason: "end_turn", text: "done", turns: 2 });
});

test("an abort ends the wait between two attempts", async () => {
  const abort = new AbortController();
  const model = fakeModel(fails(unavailable), says("x"));
  const clock = {
    ...handClock(),
    sleep: async () => {
      abort.abort(new RunAborted("by_client"));
      throw abort.signal.reason;
    },
  };
  const { outcome } = await takeTurn(turnSetup(model, { limits }), { clock, signal: abort.signal });
  expect(outcome.reason).toBe("by_client");
  expect(model.calls.length).toBe(1);
});

test("RUN-2: the partial text of the last attempt is kept with the error", async () => {
  const broken = fails({ after: [{ type: "text", text: "half" }] });
  const { outcome, sink } = await takeTurn(turnSetup(fakeModel(broken)));
  expect(outcome).toMatchObject({
    reason: "provider_error",
    text: "half",
    messageId: "m1",
    partial: true,
  });
  expect(sink.messages[0]?.parts).toEqual([
    { type: "text", text: "half" },
    {
      type: "finish",
      reason: "error",
      time: 1_700_000_000,
      message: "Provider error",
      details: "fake: provider_error",
    },
  ]);
});

test("a stream without its finish is a bug of the model's adapter, never an answer", async () => {
  const model = fakeModel(parts({ type: "text", text: "all there is" }));
  const { outcome } = await takeTurn(turnSetup(model));
  expect(outcome).toMatchObject({ reason: "internal", partial: true, text: "all there is" });
});

test("ERR-15: a thrown value without a message still has a text", async () => {
  const model = fakeModel(
    // oxlint-disable-next-line require-yield -- it throws before it says anything
    async function* thrown() {
      throw "";
    },
  );
  const { outcome } = await takeTurn(turnSetup(model));
  expect(outcome.failure).toMatchObject({ reason: "internal", message: "unknown error" });
});

test("usage and finish of the successful attempt are reported", async () => {
  const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3, reasoningTokens: 1 };
  const model = fakeModel(parts({ type: "text", text: "x" }, finish("end_turn", usage)));
  const { outcome, events } = await takeTurn(turnSetup(model));
  expect(outcome.usage).toEqual(usage);
  expect(events).toContainEqual({ type: "step.completed", usage, finishReason: "end_turn" });
});

test.each([
  ["provider_unavailable", "Provider unavailable"],
  ["auth_refused", "Auth refused"],
] as const)(
  "ERR-11: an error of the provider (%s) has its title on the message, and its words as details",
  async (reason, message) => {
    const { sink } = await takeTurn(turnSetup(fakeModel(fails({ reason }))));
    expect(sink.messages[0]?.parts).toEqual([
      { type: "finish", reason: "error", time: 1_700_000_000, message, details: `fake: ${reason}` },
    ]);
  },
);

test("ERR-11: what has no title of its own has a default one", async () => {
  const model = fakeModel(async function* buggy() {
    yield { type: "text", text: "x" } as const;
    throw new TypeError("oops");
  });
  const { sink } = await takeTurn(turnSetup(model));
  expect(sink.messages[0]?.parts?.at(-1)).toMatchObject({
    reason: "error",
    message: "Run failed",
    details: "TypeError: oops",
  });
});
