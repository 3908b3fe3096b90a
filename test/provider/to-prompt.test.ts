import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Message, Part, Role } from "../../src/protocol/message.ts";
import { toPrompt } from "../../src/provider/to-prompt.ts";
import type { PromptReader } from "../../src/provider/to-prompt.ts";

const READER: PromptReader = {
  provider: "acme",
  model: "m1",
  replaysReasoning: "all",
  cacheKey: null,
};

const message = (role: Role, parts: readonly Part[], more: Partial<Message> = {}): Message => ({
  id: "id" as Message["id"],
  sessionId: "s" as Message["sessionId"],
  role,
  parts,
  model: role === "assistant" ? "m1" : "",
  provider: role === "assistant" ? "acme" : "",
  createdAt: 0,
  updatedAt: 0,
  ...more,
});
const text = (said: string): Part => ({ type: "text", text: said });
const call = (id: string, input = "{}"): Part => ({
  type: "tool_call",
  id,
  name: "view",
  input,
  finished: true,
});
const result = (toolCallId: string, content: string, isError = false): Part => ({
  type: "tool_result",
  toolCallId,
  name: "view",
  content,
  isError,
  metadata: "",
});
const prompt = (messages: readonly Message[], reader: Partial<PromptReader> = {}) =>
  toPrompt({ system: "", messages, tools: [] }, { ...READER, ...reader });

test("neighbours of one role become one message, empty messages none", () => {
  expect(
    prompt([
      message("user", [text("a")]),
      message("assistant", []),
      message("assistant", [text(""), { type: "finish", reason: "canceled", time: 0 }]),
      message("user", [text("b"), text("")]),
      message("assistant", [text("c")]),
      message("assistant", [text("d")]),
    ]),
  ).toEqual([
    { role: "user", content: [text("a"), text("b")] },
    { role: "assistant", content: [text("c"), text("d")] },
  ]);
});

test("each call has its result right behind it; a lost one is said to be interrupted", () => {
  expect(
    prompt([
      message("assistant", [call("a"), call("b")]),
      message("user", [text("and?")]),
      message("tool", [result("b", "B", true), result("stray", "?")]),
    ]),
  ).toMatchObject([
    { role: "assistant", content: [{ toolCallId: "a" }, { toolCallId: "b" }] },
    {
      role: "tool",
      content: [
        {
          toolCallId: "a",
          output: { type: "error-text", value: expect.stringContaining("interr") },
        },
        { toolCallId: "b", output: { type: "error-text", value: "B" } },
      ],
    },
    { role: "user" },
  ]);
});

test("ids that a server uses again in each step find their own results", () => {
  const results = prompt([
    message("assistant", [call("0")]),
    message("tool", [result("0", "first")]),
    message("assistant", [call("0")]),
    message("assistant", [call("0")]),
    message("tool", [result("0", "third")]),
  ]).flatMap((each) => (each.role === "tool" ? each.content : []));
  expect(results.map((each) => ("output" in each ? each.output : null))).toMatchObject([
    { value: "first" },
    { type: "error-text" },
    { value: "third" },
  ]);
});

test.each(["{oops", "[1]", '"x"', "null", ""])(
  "input %j of a call is sent as an empty object",
  (input) => {
    expect(prompt([message("assistant", [call("a", input)])])[0]).toMatchObject({
      content: [{ input: {} }],
    });
  },
);

const metadata = { acme: { signature: "s" } };
const thought: Part = { type: "reasoning", thinking: "hm", providerMetadata: metadata };

test("reasoning and metadata go back to the model that wrote them, and to no other", () => {
  const parts = [thought, { ...text("a"), providerMetadata: metadata } as Part];
  const own = { providerOptions: metadata };
  expect(prompt([message("assistant", parts)])[0]?.content).toEqual([
    { type: "reasoning", text: "hm", ...own },
    { ...text("a"), ...own },
  ]);
  for (const other of [{ model: "m2" }, { provider: "other" }])
    expect(prompt([message("assistant", parts, other)])[0]?.content).toEqual([text("a")]);
  expect(prompt([message("assistant", parts, { model: "acme/m1" })])[0]?.content).toHaveLength(2);
});

test("where a family wants it so, only the reasoning of the current turn goes back", () => {
  const turn = [message("assistant", [thought, call("a")]), message("tool", [result("a", "A")])];
  const sent = prompt([...turn, message("user", [text("next")]), ...turn], {
    replaysReasoning: "turn",
  });
  expect(
    sent.map((each) => (each.role === "assistant" ? each.content.map((part) => part.type) : [])),
  ).toEqual([["tool-call"], [], [], ["reasoning", "tool-call"], []]);
});

const typesOf = (sent: ReturnType<typeof prompt>): readonly (readonly string[])[] =>
  sent.map((each) => (each.role === "assistant" ? each.content.map((one) => one.type) : []));

test("thoughts that nothing followed are not sent back: APIs refuse an answer that ends in them", () => {
  const finish = (reason: "canceled" | "end_turn"): Part => ({ type: "finish", reason, time: 0 });
  const next = message("user", [text("go on")]);
  expect(prompt([message("assistant", [thought, finish("canceled")]), next])).toHaveLength(1);
  expect(prompt([message("assistant", [thought, finish("end_turn")]), next])).toHaveLength(1);
  const cut = message("assistant", [thought, text("so"), thought, finish("canceled")]);
  expect(typesOf(prompt([cut, next]))).toEqual([["reasoning", "text"], []]);
  const whole = message("assistant", [text("so"), thought, finish("end_turn")]);
  expect(typesOf(prompt([whole, next]))).toEqual([["text", "reasoning"], []]);
});

test("where an API refuses the field, no reasoning goes back at all", () => {
  const sent = prompt([message("assistant", [thought, call("a")])], { replaysReasoning: "none" });
  expect(typesOf(sent)).toEqual([["tool-call"], []]);
});

test("where an API wants reasoning with every call, that of earlier turns goes back and a blank stands for none", () => {
  const history = [
    message("assistant", [thought, call("a")]),
    message("user", [text("next")]),
    message("assistant", [thought, call("b")], { model: "another" }),
    message("assistant", [text("done")]),
  ];
  const sent = prompt(history, { replaysReasoning: "required" });
  expect(sent.flatMap((each) => (each.role === "assistant" ? [each.content] : []))).toMatchObject([
    [{ type: "reasoning", text: "hm" }, { type: "tool-call" }],
    [{ type: "reasoning", text: " " }, { type: "tool-call" }],
    [{ type: "text" }],
  ]);
});

test("calls of another model get ids that every API takes, each its own, and keep their results", () => {
  const other = { provider: "other" };
  const sent = prompt([
    message("assistant", [call("functions.view:0"), call("functions.view:0")], other),
    message("tool", [result("functions.view:0", "A"), result("functions.view:0", "B")]),
    message("assistant", [call("functions.view:0")], other),
  ]);
  const ids = (role: "assistant" | "tool"): string[] =>
    sent.flatMap((each) =>
      each.role === role
        ? each.content.flatMap((one) => ("toolCallId" in one ? [one.toolCallId] : []))
        : [],
    );
  expect(new Set(ids("assistant")).size).toBe(3);
  for (const id of ids("assistant")) expect(id).toMatch(/^[a-z0-9]{9}$/);
  expect(ids("tool")).toEqual(ids("assistant"));
  expect(sent[1]?.content).toMatchObject([{ output: { value: "A" } }, { output: { value: "B" } }]);
});

test.each([
  ["functions.bash", "functions_bash"],
  ["", "_"],
  ["x".repeat(99), "x".repeat(64)],
])("a tool name %j that no API would read is sent as %j, with its result", (name, shown) => {
  const invented = { ...call("a"), name } as Part;
  const sent = prompt([message("assistant", [invented])]);
  for (const each of sent) expect(each.content).toMatchObject([{ toolName: shown }]);
});

test("the system prompt and the last message are marked for the cache", () => {
  const marked = toPrompt(
    {
      system: "S",
      messages: [message("user", [text("a")]), message("user", [text("b")])],
      tools: [],
    },
    { ...READER, cacheKey: "anthropic" },
  );
  const options = { anthropic: { cacheControl: { type: "ephemeral" } } };
  expect(marked.map((each) => each.providerOptions)).toEqual([options, options]);
});

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.string().map(text),
  fc.constantFrom("a", "b").map((id) => call(id)),
  fc.constantFrom("a", "b").map((id) => result(id, "r")),
  fc.constant(thought),
);
const history = fc.array(
  fc.record({
    role: fc.constantFrom<Role>("user", "assistant", "tool"),
    parts: fc.array(part, { maxLength: 4 }),
  }),
);

test("whatever the history: every call is answered once, every answer has its call, nothing is empty", () => {
  fc.assert(
    fc.property(history, (messages) => {
      const sent = prompt(messages.map(({ role, parts }) => message(role, parts)));
      for (const each of sent) expect(each.content.length).toBeGreaterThan(0);
      const ids = (role: string, type: string): string[][] =>
        sent.map((each) =>
          each.role === role && each.role !== "system"
            ? each.content.flatMap((one) =>
                one.type === type && "toolCallId" in one ? [one.toolCallId] : [],
              )
            : [],
        );
      // The results of a message are those of the calls of the one before it.
      expect([...ids("tool", "tool-result"), []]).toEqual([[], ...ids("assistant", "tool-call")]);
    }),
  );
});

test("PER-18: attached text is part of what was said, everything else a file", () => {
  const attached = (path: string, mimeType: string, content: string): Part => ({
    type: "binary",
    path,
    mimeType,
    data: Buffer.from(content).toString("base64"),
  });
  const png = attached("/p/a.png", "image/png", "PNG");
  expect(
    prompt([message("user", [text("look"), attached("/p/n.md", "text/markdown", "# Nöte"), png])]),
  ).toEqual([
    {
      role: "user",
      content: [
        text("look"),
        text('<file path="/p/n.md">\n# Nöte\n</file>'),
        {
          type: "file",
          mediaType: "image/png",
          data: Buffer.from("PNG").toString("base64"),
          filename: "a.png",
        },
      ],
    },
  ]);
});
