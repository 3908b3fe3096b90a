import { expect, test } from "vitest";
import { ANSWER_TOOL } from "../../src/agent/answer-form.ts";
import { prepareGates } from "../../src/agent/prepare-gates.ts";
import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import { RunFailed } from "../../src/protocol/ending.ts";
import { limitsOf, type RunOptions } from "../../src/protocol/run-options.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import {
  callsTools,
  fakeModel,
  finish,
  parts,
  says,
  toolCall,
  type FakeCall,
  type FakeModel,
  type ModelStep,
} from "../support/fake-model.ts";
import { fakeTool, result } from "../support/fake-tool.ts";
import { finishesIn, resultsIn } from "../support/memory-sink.ts";
import { takeTurn, type TakenTurn } from "../support/take-turn.ts";
import { turnSetup } from "../support/turn-setup.ts";

const SCHEMA: JsonObject = {
  type: "object",
  properties: {
    safe: { type: "boolean" },
    fileNames: { type: "array", items: { type: "string" } },
  },
  required: ["safe"],
  additionalProperties: false,
};
const RIGHT = { safe: true, fileNames: ["a_b.ts"] };
const TEXT = JSON.stringify(RIGHT);

const answers = (input: JsonObject | string, id = "a"): ModelStep =>
  callsTools({ id, name: ANSWER_TOOL, input });

async function ask(
  steps: readonly ModelStep[],
  options: RunOptions = {},
  more: Partial<TurnSetup> = {},
): Promise<TakenTurn & { readonly model: FakeModel }> {
  const model = fakeModel(...steps);
  const gates = prepareGates({ schema: SCHEMA, ...options });
  const taken = await takeTurn(turnSetup(model, { gates, tools: [look], ...more }));
  return { ...taken, model };
}

const look = fakeTool("look", async () => result("seen"));

const warningsIn = ({ events }: TakenTurn): string[] =>
  events.flatMap((event) => (event.type === "warning" ? [event.message] : []));

test("the input of the answer's tool is the answer of the run, and no tool call", async () => {
  const taken = await ask([answers(RIGHT)]);
  expect(taken.outcome).toMatchObject({
    reason: "end_turn",
    text: TEXT,
    structured: RIGHT,
    partial: false,
    turns: 1,
    toolCalls: 0,
    warnings: [],
  });
  expect(taken.events.filter(({ type }) => type.startsWith("tool."))).toEqual([]);
});

test("the call has its result, and the answer stands as the last message of the conversation", async () => {
  const { sink, outcome, events } = await ask([answers(RIGHT)]);
  expect(resultsIn(sink)).toMatchObject([{ toolCallId: "a", name: ANSWER_TOOL, isError: false }]);
  expect(sink.messages.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
  expect(finishesIn(sink)).toEqual(["tool_use", "end_turn"]);
  expect(sink.messages.at(-1)?.parts?.[0]).toEqual({ type: "text", text: TEXT });
  expect(outcome.messageId).toBe(sink.messages.at(-1)?.id);
  expect(events).toContainEqual({
    type: "message.completed",
    messageId: outcome.messageId,
    text: TEXT,
  });
});

test("the model is told of the tool beside the others, and of its use", async () => {
  const { model } = await ask([answers(RIGHT)]);
  const [call] = model.calls;
  expect(call?.tools.map(({ name }) => name)).toEqual(["look", ANSWER_TOOL]);
  expect(call?.tools[1]?.inputSchema).toEqual(SCHEMA);
  expect(call?.system).toMatch(/^be brief\n\n# How you answer/);
});

test("an answer that breaks the schema is refused with the validator's words, and may be repaired", async () => {
  const taken = await ask([answers({ safe: "yes" }), answers(RIGHT, "b")]);
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: TEXT, turns: 2 });
  expect(resultsIn(taken.sink)).toMatchObject([
    { toolCallId: "a", isError: true },
    { toolCallId: "b", isError: false },
  ]);
  expect(resultsIn(taken.sink)[0]?.content).toContain("/safe must be boolean");
  expect(warningsIn(taken)).toEqual([
    "the answer was refused, repair 1 of 2: /safe must be boolean",
  ]);
});

test("after two repairs the run fails with the validator's words, and has no answer", async () => {
  const taken = await ask([says("Let me see."), answers({ safe: 1 }), answers("{", "b")]);
  expect(taken.outcome).toMatchObject({
    reason: "schema",
    failure: {
      message: "the answer does not follow the schema, after 2 repairs: the input is no JSON",
    },
    text: "",
    partial: false,
    turns: 3,
  });
  expect(taken.outcome).not.toHaveProperty("structured");
  expect(taken.model.calls).toHaveLength(3);
  expect(resultsIn(taken.sink).map(({ isError }) => isError)).toEqual([true, true]);
});

test.each([
  TEXT,
  JSON.stringify(RIGHT, null, 2),
  `\n${TEXT}\n`,
  `\`\`\`json\n${TEXT}\n\`\`\``,
  `  \`\`\`\n${JSON.stringify(RIGHT, null, 2)}\n\`\`\`\n`,
])("a text that is such a document is the answer (%j)", async (text) => {
  const taken = await ask([says(text)]);
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: TEXT, structured: RIGHT });
  expect(taken.outcome).toMatchObject({ turns: 1, messageId: "m1" });
});

test.each([
  `It is safe.`,
  `Here it is:\n\`\`\`json\n${TEXT}\n\`\`\``,
  `\`\`\`json\n${TEXT}\n\`\`\`\nThat is it.`,
  "",
])("a text that is none is answered with a reminder (%j)", async (text) => {
  const taken = await ask([says(text), answers(RIGHT)]);
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: TEXT, turns: 2 });
  const reminder = taken.sink.messages[1];
  expect(reminder?.role).toBe("user");
  expect(JSON.stringify(reminder?.parts)).toContain(ANSWER_TOOL);
  expect(JSON.stringify(taken.model.calls[1]?.messages.at(-1)?.parts)).toContain(ANSWER_TOOL);
});

test("tools run before the answer, and are counted without it", async () => {
  const taken = await ask([callsTools({ name: "look" }), answers(RIGHT)]);
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: TEXT, toolCalls: 1, turns: 2 });
});

test.each<[string, readonly FakeCall[]]>([
  [
    "beside another call",
    [
      { id: "l", name: "look" },
      { id: "a", name: ANSWER_TOOL, input: RIGHT },
    ],
  ],
  [
    "twice",
    [
      { id: "l", name: ANSWER_TOOL, input: RIGHT },
      { id: "a", name: ANSWER_TOOL, input: RIGHT },
    ],
  ],
])("an answer that is given %s is refused: it cannot know the rest", async (_, calls) => {
  const taken = await ask([callsTools(...calls), answers(RIGHT, "b")]);
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: TEXT, turns: 2 });
  const [first, second, last] = resultsIn(taken.sink);
  expect([first?.toolCallId, second?.toolCallId, last?.toolCallId]).toEqual(["l", "a", "b"]);
  expect(second).toMatchObject({ isError: true });
  expect(second?.content).toContain("not called alone");
  expect(taken.outcome.toolCalls).toBe(calls[0]?.name === "look" ? 1 : 0);
});

test("neither --max-tool-calls nor the guard against loops counts the answer", async () => {
  const limits = limitsOf({ maxToolCalls: 1 });
  const taken = await ask([callsTools({ name: "look" }), answers(RIGHT)], {}, { limits });
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: TEXT, toolCalls: 1 });
});

test("a limit that is reached while an answer is repaired is that limit's end", async () => {
  const limits = limitsOf({ maxTurns: 1 });
  const taken = await ask([answers({}), answers(RIGHT)], {}, { limits });
  expect(taken.outcome).toMatchObject({ reason: "turns", text: "", turns: 1 });
  expect(taken.model.calls).toHaveLength(1);
});

test("what was said without following the schema is no answer, however the run ends", async () => {
  const limits = limitsOf({ maxTurns: 1 });
  const limited = await ask([says("It is safe.")], {}, { limits });
  expect(limited.outcome).toMatchObject({ reason: "turns", text: "", partial: false });
  const failed = await ask([says("It is safe.")]);
  expect(failed.outcome).toMatchObject({ reason: "schema", text: "", partial: false });
});

test("an answer beside more calls than are allowed did not count", async () => {
  const limits = limitsOf({ maxToolCalls: 1 });
  const both = callsTools(
    { id: "1", name: "look" },
    { id: "2", name: "look" },
    { id: "a", name: ANSWER_TOOL, input: RIGHT },
  );
  const taken = await ask([both], {}, { limits });
  expect(taken.outcome).toMatchObject({ reason: "tool_calls", text: "" });
  expect(resultsIn(taken.sink)).toHaveLength(3);
});

test("an answer that was cut off is cut off, not wrong", async () => {
  const cut = parts(toolCall({ name: ANSWER_TOOL, input: '{"safe":' }), finish("max_tokens"));
  const taken = await ask([cut, answers(RIGHT)]);
  expect(taken.outcome).toMatchObject({ reason: "output_tokens", text: "" });
  expect(resultsIn(taken.sink)).toHaveLength(1);
});

test("what is no object is unwrapped", async () => {
  const schema = { type: "array", items: { type: "integer" } };
  const taken = await ask([answers({ answer: [1, 2] })], { schema });
  expect(taken.outcome).toMatchObject({ text: "[1,2]", structured: [1, 2] });
});

test("null can be an answer", async () => {
  const taken = await ask([answers({ answer: null })], { schema: { type: ["object", "null"] } });
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: "null", structured: null });
});

test("a schema that is none cannot be prepared", () => {
  expect(() => prepareGates({ schema: { type: "strin" } })).toThrow(RunFailed);
});
