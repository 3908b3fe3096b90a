import { expect, test } from "vitest";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import { limitsOf } from "../../src/protocol/run-options.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import {
  callsTools,
  fails,
  fakeModel,
  finish,
  hangs,
  parts,
  says,
  stalls,
  toolCall,
} from "../support/fake-model.ts";
import { fakeTool, result } from "../support/fake-tool.ts";
import { finishesIn, resultsIn } from "../support/memory-sink.ts";
import { takeTurn } from "../support/take-turn.ts";
import { turnSetup } from "../support/turn-setup.ts";

test("PER-11, PER-13: a cancel in a tool closes the calls that have no result, and only those", async () => {
  const abort = new AbortController();
  const quick = fakeTool("quick", async () => result("done"));
  const slow = fakeTool("slow", async (_input, { signal }) => {
    abort.abort(new RunAborted("by_client"));
    return await orAborted(new Promise<never>(() => {}), signal);
  });
  const model = fakeModel(
    callsTools({ name: "quick" }, { name: "slow" }, { name: "quick" }),
    says("never"),
  );
  const { outcome, sink } = await takeTurn(turnSetup(model, { tools: [quick, slow] }), {
    signal: abort.signal,
  });
  expect(outcome.reason).toBe("by_client");
  expect(resultsIn(sink).map(({ content, isError }) => [content, isError])).toEqual([
    ["done", false],
    ["Error: user cancelled assistant tool calling", true],
    ["Error: user cancelled assistant tool calling", true],
  ]);
  expect(finishesIn(sink)).toEqual(["canceled"]);
  expect(model.calls.length).toBe(1);
});

test("INV-32: a cancel while calls are still being streamed leaves no call without a result", async () => {
  const abort = new AbortController();
  const model = fakeModel(stalls(toolCall({ name: "look" })));
  const turn = takeTurn(turnSetup(model, { tools: [fakeTool("look")] }), { signal: abort.signal });
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new RunAborted("by_client"));
  const { sink } = await turn;
  expect(resultsIn(sink)).toMatchObject([{ toolCallId: "call-0", isError: true }]);
  expect(finishesIn(sink)).toEqual(["canceled"]);
});

test("PER-12: a failed step leaves no call without a result", async () => {
  const model = fakeModel(fails({ after: [toolCall({ name: "look" })] }));
  const { sink } = await takeTurn(turnSetup(model, { tools: [fakeTool("look")] }));
  expect(resultsIn(sink)).toMatchObject([
    { toolCallId: "call-0", isError: true, content: "Error: the tool call did not end" },
  ]);
  expect(finishesIn(sink)).toEqual(["error"]);
});

test.each(["max_tokens", "content_filter", "error"] as const)(
  "calls of an answer that ended with %s do not run, and get a result that says so",
  async (reason) => {
    let ran = false;
    const look = fakeTool("look", async () => {
      ran = true;
      return result("x");
    });
    const model = fakeModel(parts(toolCall({ name: "look" }), finish(reason)));
    const { sink } = await takeTurn(turnSetup(model, { tools: [look] }));
    expect(ran).toBe(false);
    expect(resultsIn(sink)).toMatchObject([{ toolCallId: "call-0", isError: true }]);
  },
);

test("a tool that ignores its abort is left behind, and what it says later is not heard", async () => {
  const abort = new AbortController();
  const late = deferred();
  const deaf = fakeTool("deaf", async (_input, { onProgress }) => {
    abort.abort(new RunAborted("by_client"));
    await late.promise;
    onProgress(1);
    return result("too late");
  });
  const setup = turnSetup(fakeModel(callsTools({ name: "deaf" })), {
    tools: [deaf],
    limits: limitsOf({ killAfterMs: 10 }),
  });
  const { outcome, sink, events } = await takeTurn(setup, { signal: abort.signal });
  const before = JSON.stringify([sink.messages, events]);
  expect(outcome.reason).toBe("by_client");
  expect(resultsIn(sink)).toMatchObject([{ isError: true }]);
  late.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(JSON.stringify([sink.messages, events])).toBe(before);
});

test("a model that ignores its abort is left behind, and its message is closed", async () => {
  const abort = new AbortController();
  const model = fakeModel(hangs({ type: "text", text: "so far" }));
  const limits = limitsOf({ killAfterMs: 10 });
  const turn = takeTurn(turnSetup(model, { limits }), {
    signal: abort.signal,
  });
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new RunAborted("by_client"));
  const { outcome, sink } = await turn;
  expect(outcome).toMatchObject({ reason: "by_client", text: "so far", partial: true });
  expect(finishesIn(sink)).toEqual(["canceled"]);
});
