import { expect, test } from "vitest";
import { textOf } from "../../src/protocol/message.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { callsTools, fakeModel, finish, parts, says, toolCall } from "../support/fake-model.ts";
import { fakeTool, result } from "../support/fake-tool.ts";
import { resultsIn } from "../support/memory-sink.ts";
import { takeTurn } from "../support/take-turn.ts";
import type { ToolContext } from "../../src/tools/tool.ts";
import { turnSetup } from "../support/turn-setup.ts";

test("each step hands the model everything that was said before", async () => {
  const model = fakeModel(
    parts({ type: "text", text: "looking" }, toolCall({ name: "look" }), finish("tool_use")),
    says("seen"),
  );
  await takeTurn(turnSetup(model, { tools: [fakeTool("look", async () => result("a cat"))] }));
  expect(model.calls[0]?.messages.map(({ role }) => role)).toEqual(["user"]);
  const [user, assistant, tool] = model.calls[1]?.messages ?? [];
  expect(user?.role).toBe("user");
  expect(assistant?.parts).toMatchObject([
    { type: "text", text: "looking" },
    { type: "tool_call", id: "call-0", name: "look" },
    { type: "finish", reason: "tool_use" },
  ]);
  expect(tool?.parts[0]).toMatchObject({ type: "tool_result", content: "a cat", isError: false });
  expect(model.calls[1]?.system).toBe("be brief");
  expect(model.calls[1]?.tools.map(({ name }) => name)).toEqual(["look"]);
});

test("what the provider wants to see again is kept on text, reasoning and calls", async () => {
  const model = fakeModel(
    parts(
      { type: "reasoning", text: "hm" },
      { type: "reasoning", text: "m" },
      { type: "reasoning_end", providerMetadata: { p: { signature: "s1" } } },
      { type: "reasoning_end", providerMetadata: { p: { encrypted: "e" } } },
      { type: "text", text: "a" },
      { type: "text", text: "b", providerMetadata: { p: { item: "t1" } } },
      {
        type: "tool_call",
        id: "call-0",
        name: "look",
        input: "{}",
        providerMetadata: { p: { item: "c1" } },
      },
      finish("tool_use"),
    ),
    says("done"),
  );
  await takeTurn(turnSetup(model, { tools: [fakeTool("look")] }));
  const time = 1_700_000_000;
  expect(model.calls[1]?.messages[1]?.parts.slice(0, 4)).toEqual([
    {
      type: "reasoning",
      thinking: "hmm",
      startedAt: time,
      finishedAt: time,
      providerMetadata: { p: { signature: "s1" } },
    },
    {
      type: "reasoning",
      thinking: "",
      startedAt: time,
      finishedAt: time,
      providerMetadata: { p: { encrypted: "e" } },
    },
    { type: "text", text: "ab", providerMetadata: { p: { item: "t1" } } },
    {
      type: "tool_call",
      id: "call-0",
      name: "look",
      input: "{}",
      finished: true,
      providerMetadata: { p: { item: "c1" } },
    },
  ]);
});

test("neighbouring calls that only read run at the same time, in the order of the calls", async () => {
  const both = deferred();
  let running = 0;
  const read = fakeTool(
    "read",
    async (input) => {
      running += 1;
      if (running === 2) both.resolve();
      await both.promise;
      return result(JSON.stringify(input["n"]));
    },
    { readsOnly: true },
  );
  const model = fakeModel(
    callsTools({ name: "read", input: { n: 1 } }, { name: "read", input: { n: 2 } }),
    says("ok"),
  );
  const { sink } = await takeTurn(turnSetup(model, { tools: [read] }));
  expect(resultsIn(sink).map(({ content }) => content)).toEqual(["1", "2"]);
});

test("a call that changes something runs alone, between what stands before and after it", async () => {
  const log: string[] = [];
  const logged = (name: string, readsOnly: boolean) =>
    fakeTool(
      name,
      async (input) => {
        log.push(`+${name}${JSON.stringify(input["n"])}`);
        await Promise.resolve();
        log.push(`-${name}${JSON.stringify(input["n"])}`);
        return result(name);
      },
      { readsOnly },
    );
  const calls = [
    { name: "read", input: { n: 1 } },
    { name: "write", input: { n: 2 } },
    { name: "write", input: { n: 3 } },
    { name: "read", input: { n: 4 } },
    { name: "read", input: { n: 5 } },
  ];
  const tools = [logged("read", true), logged("write", false)];
  await takeTurn(turnSetup(fakeModel(callsTools(...calls), says("ok")), { tools }));
  expect(log).toEqual([
    "+read1",
    "-read1",
    "+write2",
    "-write2",
    "+write3",
    "-write3",
    "+read4",
    "+read5",
    "-read4",
    "-read5",
  ]);
});

test("an unknown tool is an answer to the model that names the known ones", async () => {
  const model = fakeModel(callsTools({ name: "fly" }), says("ok"));
  const { outcome, sink } = await takeTurn(
    turnSetup(model, { tools: [fakeTool("look"), fakeTool("grep")] }),
  );
  expect(resultsIn(sink)).toMatchObject([
    { isError: true, content: 'There is no tool "fly". The tools are: look, grep.' },
  ]);
  expect(outcome).toMatchObject({ reason: "end_turn", toolCalls: 1 });
});

test.each(["{", "[1]", '"x"', "null"])(
  "an input of %s is refused, and the tool does not run",
  async (input) => {
    let ran = false;
    const look = fakeTool("look", async () => {
      ran = true;
      return result("x");
    });
    const model = fakeModel(callsTools({ name: "look", input }), says("ok"));
    const { sink } = await takeTurn(turnSetup(model, { tools: [look] }));
    expect(ran).toBe(false);
    expect(resultsIn(sink)[0]).toMatchObject({
      isError: true,
      content: expect.stringContaining("not a JSON object"),
    });
  },
);

test("an empty input is an empty object", async () => {
  const look = fakeTool("look", async (input) => result(JSON.stringify(input)));
  const model = fakeModel(callsTools({ name: "look", input: "" }), says("ok"));
  const { sink } = await takeTurn(turnSetup(model, { tools: [look] }));
  expect(resultsIn(sink)[0]).toMatchObject({ isError: false, content: "{}" });
});

test("RUN-18: a tool that throws is told to the model, and the run goes on", async () => {
  const look = fakeTool("look", async () => {
    throw new TypeError("oops");
  });
  const { outcome, sink } = await takeTurn(
    turnSetup(fakeModel(callsTools({ name: "look" }), says("ok")), { tools: [look] }),
  );
  expect(resultsIn(sink)[0]).toMatchObject({ isError: true, content: "The tool failed: oops" });
  expect(outcome.reason).toBe("end_turn");
});

test("the events of a call tell its input, its result and how long it took", async () => {
  const look = fakeTool("look", async () => result("seen", { truncated: true }));
  const model = fakeModel(callsTools({ name: "look", input: { at: 1 } }), says("ok"));
  const { events } = await takeTurn(turnSetup(model, { tools: [look] }));
  expect(events.filter(({ type }) => type.startsWith("tool."))).toEqual([
    { type: "tool.started", callId: "call-0", name: "look", input: '{"at":1}' },
    {
      type: "tool.completed",
      callId: "call-0",
      isError: false,
      output: "seen",
      truncated: true,
      ms: 0,
    },
  ]);
});

test("a call that nobody could approve makes the run needs_approval at its end, with its answer", async () => {
  const denied = {
    kind: "unapproved",
    rule: "outside the working directory",
    remedy: "use --allow",
  } as const;
  const look = fakeTool("look", async () => result("refused", { isError: true, denied }));
  const model = fakeModel(callsTools({ name: "look" }), says("I could not look"));
  const { outcome, events } = await takeTurn(turnSetup(model, { tools: [look] }));
  expect(outcome).toMatchObject({
    reason: "needs_approval",
    failure: { remedy: "use --allow" },
    text: "I could not look",
    partial: false,
    denials: [{ callId: "call-0", name: "look", ...denied }],
  });
  expect(events).toContainEqual({ type: "tool.denied", callId: "call-0", name: "look", ...denied });
});

test("a denied call is no reason to try again, even when the model then said nothing", async () => {
  const denied = { kind: "unapproved", rule: "r", remedy: "m" } as const;
  const look = fakeTool("look", async () => result("refused", { isError: true, denied }));
  const model = fakeModel(callsTools({ name: "look" }), says());
  const { outcome } = await takeTurn(turnSetup(model, { tools: [look] }));
  expect(outcome.reason).toBe("needs_approval");
});

test("with allowBlocked a denial is only reported", async () => {
  const denied = { kind: "unapproved", rule: "r", remedy: "m" } as const;
  const look = fakeTool("look", async () => result("refused", { isError: true, denied }));
  const model = fakeModel(callsTools({ name: "look" }), says("ok"));
  const { outcome } = await takeTurn(turnSetup(model, { tools: [look], allowBlocked: true }));
  expect(outcome).toMatchObject({ reason: "end_turn", denials: [{ name: "look" }] });
});

test("the message of a tool step says what it said, beside its calls", async () => {
  const model = fakeModel(
    parts({ type: "text", text: "let me look" }, toolCall({ name: "look" }), finish("tool_use")),
    says("done"),
  );
  const { sink, events } = await takeTurn(turnSetup(model, { tools: [fakeTool("look")] }));
  expect(textOf({ parts: sink.messages[0]?.parts ?? [] })).toBe("let me look");
  expect(events.filter(({ type }) => type === "message.completed")).toMatchObject([
    { messageId: "m1", text: "let me look" },
    { messageId: "m3", text: "done" },
  ]);
});

test("of two hundred calls that only read, a few run at the same time, and Node has nothing to warn of", async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warn);
  let [running, most] = [0, 0];
  const run = async (_: unknown, { signal }: ToolContext) => {
    most = Math.max(most, (running += 1));
    const listener = (): void => {};
    signal.addEventListener("abort", listener);
    await new Promise(setImmediate);
    signal.removeEventListener("abort", listener);
    running -= 1;
    return result("read");
  };
  const calls = Array.from({ length: 200 }, (_, n) => toolCall({ name: "look", id: `call-${n}` }));
  const model = fakeModel(parts(...calls, finish("tool_use")), says("done"));
  const { sink } = await takeTurn(
    turnSetup(model, { tools: [fakeTool("look", run, { readsOnly: true })] }),
  );
  await new Promise(setImmediate);
  process.off("warning", warn);
  expect(resultsIn(sink)).toHaveLength(200);
  expect([most, warnings]).toEqual([8, []]);
});
