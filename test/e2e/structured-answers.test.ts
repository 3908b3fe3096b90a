import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace, FAMILIES, type CrushOptions } from "../support/crush.ts";
import { failed, seen, succeeded, titled } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { shell } from "../support/shell.ts";

const SCHEMA = {
  type: "object",
  properties: {
    safe: { type: "boolean" },
    fileNames: { type: "array", items: { type: "string" } },
    first_line: { type: "integer", minimum: 1 },
  },
  required: ["safe"],
  additionalProperties: false,
};
const RIGHT = { safe: true, fileNames: ["a_b.ts"], first_line: 3 };
const TEXT = `${JSON.stringify(RIGHT)}\n`;

const answers = (input: object | string, id = "a1"): FakeStep => ({
  toolCalls: [{ id, name: "final_answer", input }],
});
const writes: FakeStep = {
  text: "First a note.",
  toolCalls: [{ id: "w1", name: "write", input: { file_path: "note", content: "x" } }],
};

interface Asked {
  readonly script: readonly FakeStep[];
  readonly schema?: object;
  readonly stdout: string;
  /** On standard error, beside the error line. */
  readonly warns?: readonly string[];
  readonly fails?: string;
}

const CASES = titled<Asked>({
  "an answer by its tool": { script: [answers(RIGHT)], stdout: TEXT },
  "an answer after other tools": { script: [writes, answers(RIGHT)], stdout: TEXT },
  "an answer in plain JSON": { script: [{ text: JSON.stringify(RIGHT, null, 2) }], stdout: TEXT },
  "an answer that was repaired": {
    script: [answers({ safe: "yes" }), answers(RIGHT, "a2")],
    stdout: TEXT,
    warns: ["repair 1 of 2: /safe must be boolean"],
  },
  "an answer after a reminder": {
    script: [{ text: "It is safe." }, answers(RIGHT, "a2")],
    stdout: TEXT,
    warns: ["repair 1 of 2: it is neither a call of final_answer nor a JSON document"],
  },
  "an answer that is no object": {
    script: [answers({ answer: ["x", "y"] })],
    schema: { type: "array", items: { type: "string" } },
    stdout: '["x","y"]\n',
  },
  "no answer after two repairs": {
    script: [answers({}), answers({ safe: 1 }, "a2"), answers({ safe: 2 }, "a3")],
    stdout: "",
    warns: [
      "repair 1 of 2: the answer must have required property 'safe'",
      "repair 2 of 2: /safe must be boolean",
    ],
    fails: "the answer does not follow the schema, after 2 repairs: /safe must be boolean",
  },
});

test.concurrent.each(
  FAMILIES.flatMap((family) => CASES.map(([title, one]) => [family, title, one] as const)),
)("%s: %s", async (family, _, { script, schema = SCHEMA, stdout, warns = [], fails }) => {
  await using provider = await startFakeProvider(script);
  await using place = crushPlace({ provider: { url: provider.url, family } });
  place.write("answer.json", JSON.stringify(schema));
  const ended = await place.run(["run", "--schema", "answer.json", "hi"]);
  const told = warns.map((words): unknown => expect.stringContaining(words));
  expect(seen(ended)).toEqual(
    fails === undefined
      ? succeeded(stdout, told)
      : failed("schema", { says: fails, stdout, before: told }),
  );
  expect(provider.requests.length).toBe(script.length);
  const [first, ...repeated] = provider.requests.map(({ body }) => JSON.stringify(body));
  expect(first).toContain("final_answer");
  expect(first).toContain("How you answer");
  // What an API gets to see of the answer's call has a result.
  for (const body of repeated) expect(body).not.toContain("was interrupted");
});

test("an answer that would not come out as it was given is refused, and never altered", async () => {
  const deep = `{"id":${"[".repeat(2_000)}${"]".repeat(2_000)}}`;
  const script = ['{"id":9007199254740993}', deep, '{"id":"9007199254740993"}'].map((input, n) =>
    answers(input, `a${n}`),
  );
  await using provider = await startFakeProvider(script);
  await using place = crushPlace({ provider });
  place.write("answer.json", JSON.stringify({ type: "object", properties: { id: {} } }));
  const ended = await place.run(["run", "--schema", "answer.json", "hi"]);
  const told = [
    "9007199254740993 is a number that cannot be kept exactly",
    "the answer is nested more than 256 levels deep",
  ].map((words): unknown => expect.stringContaining(words));
  expect(seen(ended)).toEqual(succeeded('{"id":"9007199254740993"}\n', told));
});

test("the result has the value, with the names that the schema gives them", async () => {
  await using provider = await startFakeProvider([writes, answers(RIGHT)]);
  await using place = crushPlace({ provider });
  place.write("answer.json", JSON.stringify(SCHEMA));
  const args = ["run", "--schema", "answer.json", "--output", "json", "hi"];
  const ended = await place.run(args);
  expect(ended.status).toBe(0);
  const result: Record<string, unknown> = JSON.parse(ended.stdout.toString());
  expect(result).toMatchObject({
    status: "completed",
    text: JSON.stringify(RIGHT),
    structured: RIGHT,
    partial: false,
    turns: 2,
    tool_calls: 1,
    error: null,
  });
  const shown = await place.run(["show", String(result["run_id"])]);
  expect(shown.stdout.toString()).toContain(TEXT);
});

test("a stream of events has no tool call of the answer, and the value in its result", async () => {
  const script = [answers({ safe: 1 }), answers(RIGHT, "a2")];
  await using provider = await startFakeProvider(script);
  await using place = crushPlace({ provider });
  place.write("answer.json", JSON.stringify(SCHEMA));
  const args = ["run", "--schema", "answer.json", "--output", "stream-json", "hi"];
  const ended = await place.run(args);
  const lines = ended.stdout
    .toString()
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(ended.status).toBe(0);
  const types = lines.map(({ type }) => type);
  expect(types).not.toContain("tool.started");
  expect(lines.find(({ type }) => type === "warning")).toMatchObject({ code: "answer_refused" });
  expect(lines.findLast(({ type }) => type === "message.completed")).toMatchObject({
    text: JSON.stringify(RIGHT),
  });
  expect(lines.at(-1)).toMatchObject({ type: "run.result", structured: RIGHT, tool_calls: 0 });
});

test("a failed result has no answer, and says what was wrong with it", async () => {
  await using provider = await startFakeProvider({ text: "It is safe." });
  await using place = crushPlace({ provider });
  place.write("answer.json", JSON.stringify(SCHEMA));
  const args = ["run", "--schema", "answer.json", "--output", "json", "hi"];
  const ended = await place.run(args);
  expect(ended.status).toBe(8);
  expect(JSON.parse(ended.stdout.toString())).toMatchObject({
    status: "failed",
    reason: "schema",
    text: "",
    structured: null,
    error: { code: "schema", message: expect.stringContaining("final_answer") as unknown },
  });
});

test("on a terminal too nothing is shown of the answer before it is whole and right", async () => {
  const script = [
    { ...writes, text: "Thinking aloud." },
    { text: "So be it.", ...answers(RIGHT) },
  ];
  await using provider = await startFakeProvider(script);
  await using place = crushPlace({ provider });
  place.write("answer.json", JSON.stringify(SCHEMA));
  const inside = 'exec "$CRUSH" run --schema answer.json hi 2>news';
  const { stdout } = await shell(place, `script -qec '${inside}' /dev/null`, 10_000);
  expect(stdout.replaceAll("\r\n", "\n")).toBe(TEXT);
});

test("a session goes on after a structured answer, and the model sees what it answered", async () => {
  await using provider = await startFakeProvider([answers(RIGHT), { text: "Because." }]);
  await using place = crushPlace({ provider });
  place.write("answer.json", JSON.stringify(SCHEMA));
  await place.run(["run", "--schema", "answer.json", "hi"]);
  const ended = await place.run(["run", "--continue", "why?"]);
  expect(seen(ended)).toEqual(succeeded("Because.\n"));
  const { messages } = (provider.requests[1]?.body ?? {}) as { messages: { role: string }[] };
  expect(messages.map(({ role }) => role)).toEqual([
    "system",
    "user",
    "assistant",
    "tool",
    "assistant",
    "user",
  ]);
  expect(messages[4]).toMatchObject({ content: JSON.stringify(RIGHT) });
});

interface Bad {
  readonly args: readonly string[];
  readonly env?: CrushOptions["env"];
  readonly says: string;
}

test.concurrent.each(
  titled<Bad>({
    "a file that is not there": {
      args: ["--schema", "missing.json"],
      says: "--schema names missing.json, which is not there",
    },
    "a directory": {
      args: ["--schema", "folder"],
      says: "--schema names folder, which is a directory",
    },
    "a file that is no JSON": {
      args: ["--schema", "broken.json"],
      says: "--schema: broken.json:2:3: no JSON",
    },
    "a file with a comment": {
      args: ["--schema", "comment.json"],
      says: "--schema: comment.json:1:1: no JSON",
    },
    "a file that is no text": {
      args: ["--schema", "binary.json"],
      says: "--schema names binary.json, which is no text",
    },
    "a schema that is none": {
      args: ["--schema", "wrong.json"],
      says: "--schema: wrong.json is no schema that can be used: /properties/a/type must be",
    },
    "a schema that refers to elsewhere": {
      args: ["--schema", "remote.json"],
      says: '/$ref "https://example.com/s.json" leads elsewhere',
    },
    "a schema that is too large": {
      args: ["--schema", "large.json"],
      says: "--schema names large.json, which is larger than 256 KiB",
    },
    "an empty name": { args: ["--schema", ""], says: "--schema is empty" },
    CRUSH_RUN_SCHEMA: {
      args: [],
      env: { CRUSH_RUN_SCHEMA: "missing.json" },
      says: "CRUSH_RUN_SCHEMA names missing.json, which is not there",
    },
    "--stream": {
      args: ["--schema", "right.json", "--stream"],
      says: "--schema and --stream exclude each other",
    },
    "--allow-empty": {
      args: ["--schema", "right.json", "--allow-empty"],
      says: "--schema and --allow-empty exclude each other",
    },
  }),
)("--schema with %s is refused before anything is sent", async (_, { args, env = {}, says }) => {
  await using provider = await startFakeProvider({ text: "Done." });
  await using place = crushPlace({ provider });
  mkdirSync(join(place.work, "folder"));
  place.write("right.json", JSON.stringify(SCHEMA));
  place.write("broken.json", '{"type": "object",\n  }');
  place.write("comment.json", '// a comment\n{"type": "object"}');
  place.write("binary.json", Buffer.from([0x7b, 0xff, 0x7d]));
  place.write("wrong.json", '{"type": "object", "properties": {"a": {"type": "strin"}}}');
  place.write("remote.json", '{"$ref": "https://example.com/s.json"}');
  place.write("large.json", JSON.stringify({ type: "string", title: "x".repeat(262_144) }));
  const ended = await place.run(["run", ...args, "hi"], { env });
  expect(seen(ended)).toEqual(failed("usage", { says }));
  expect(provider.requests.length).toBe(0);
});
