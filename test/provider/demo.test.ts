import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { SelectedModel } from "../../src/config/config.ts";
import { newMessageId, type SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part, Role } from "../../src/protocol/message.ts";
import { openDemoModel } from "../../src/provider/demo.ts";
import type { StepPart } from "../../src/provider/language-model.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { builtinTools } from "../../src/tools/registry.ts";
import { tempDirectory, toolContext } from "../support/tool-context.ts";

const SELECTED = {
  provider: { id: "demo" },
  model: { id: "offline" },
  maxTokens: null,
} as unknown as SelectedModel;

function message(role: Role, parts: readonly Part[]): Message {
  const sessionId = "s" as SessionId;
  return {
    id: newMessageId(),
    sessionId,
    role,
    parts,
    model: "",
    provider: "",
    createdAt: 0,
    updatedAt: 0,
  };
}

const says = (text: string): Message => message("user", [{ type: "text", text }]);

interface Turn {
  readonly answer: string;
  /** Per model call: the names of the tools it asked for, with their input. */
  readonly steps: readonly (readonly [string, JsonObject])[][];
  readonly messages: readonly Message[];
  readonly parts: readonly StepPart[];
}

/** A whole turn as the agent would drive it, with the real tools. */
async function turn(
  cwd: string,
  prompt: string,
  {
    history = [],
    disabled = [],
    selected = SELECTED,
  }: {
    history?: readonly Message[];
    disabled?: readonly string[];
    selected?: SelectedModel;
  } = {},
): Promise<Turn> {
  const tools = builtinTools({ disabled: new Set(disabled) });
  const model = openDemoModel(selected, { workingDirectory: cwd });
  const context = toolContext(cwd);
  const messages: Message[] = [...history, says(prompt)];
  const steps: [string, JsonObject][][] = [];
  for (let step = 0; step < 5; step += 1) {
    const parts: StepPart[] = [];
    for await (const part of model.stream({ system: "s", messages, tools }, context.signal))
      parts.push(part);
    const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    const calls = parts.filter((part) => part.type === "tool_call");
    messages.push(
      message("assistant", [
        { type: "text", text },
        ...calls.map((part) => ({ ...part, finished: true })),
      ]),
    );
    if (calls.length === 0) return { answer: text, steps, messages, parts };
    steps.push(calls.map(({ name, input }) => [name, JSON.parse(input) as JsonObject]));
    for (const { id, name, input } of calls) {
      const tool = tools.find((one) => one.name === name);
      const result = await tool?.run(JSON.parse(input) as JsonObject, context);
      const { content = "", isError = true } = result ?? {};
      messages.push(
        message("tool", [
          { type: "tool_result", toolCallId: id, name, content, isError, metadata: "" },
        ]),
      );
    }
  }
  throw new Error("the demo model did not come to an end");
}

function plant(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}

const PROJECT = {
  "README.md": "# Pump\n\nMoves water uphill.\n",
  "src/valve.ts": "export const valve = 1;\n// a valve opens\n",
  "src/main.ts": "import './valve.ts';\n",
};

test("it looks, reads the best match, and answers from what it found", async () => {
  using temp = tempDirectory();
  plant(temp.path, PROJECT);
  const { answer, steps } = await turn(temp.path, "Where does the valve open?");
  expect(steps).toEqual([
    [
      ["ls", { path: ".", depth: 3 }],
      ["grep", { pattern: "(?i)valve|open" }],
      ["glob", { pattern: "**/*{valve,open}*" }],
    ],
    [["view", { file_path: "src/valve.ts", offset: 1, limit: 30 }]],
  ]);
  expect(answer).toContain("offline demo model");
  expect(answer).toContain(temp.path);
  expect(answer).toContain("At the top: 1 directory (src/); 1 file (README.md).");
  expect(answer).toContain("Kinds among the 3 files listed, three levels deep: 2 .ts, 1 .md.");
  expect(answer).toContain("3 lines in 2 files found:\n- src/main.ts:1: import './valve.ts';");
  expect(answer).toContain("Files with such a name: src/valve.ts.");
  expect(answer).toContain(
    "src/valve.ts, from line 1:\n> export const valve = 1;\n> // a valve opens",
  );
});

test("a question about the place is answered with the listing and the README", async () => {
  using temp = tempDirectory();
  plant(temp.path, PROJECT);
  const { answer, steps } = await turn(temp.path, "What is in this project?");
  expect(steps).toEqual([
    [["ls", { path: ".", depth: 3 }]],
    [["view", { file_path: "README.md", limit: 60 }]],
  ]);
  expect(answer).toContain("README.md, from line 1:\n> # Pump\n> Moves water uphill.");
});

test("a file that the prompt names is read, and a directory listed", async () => {
  using temp = tempDirectory();
  plant(temp.path, PROJECT);
  const file = await turn(temp.path, "Explain `src/main.ts`.");
  expect(file.steps).toEqual([
    [
      ["ls", { path: ".", depth: 3 }],
      ["view", { file_path: "src/main.ts", limit: 60 }],
    ],
  ]);
  expect(file.answer).toContain("src/main.ts, from line 1:\n> import './valve.ts';");
  const directory = await turn(temp.path, "list src/");
  expect(directory.steps[1]).toEqual([["ls", { path: "src/", depth: 2 }]]);
  const missing = await turn(temp.path, "read src/mian.ts");
  expect(missing.answer).toContain("src/mian.ts does not exist; did you mean src/main.ts?");
});

test("words that stand nowhere are said to stand nowhere", async () => {
  using temp = tempDirectory();
  plant(temp.path, PROJECT);
  const { answer } = await turn(temp.path, "Find the submarine (and a+b)");
  expect(answer).toContain('No line of any file contains "submarine".');
  expect(answer).toContain("README.md, from line 1:");
});

test("in an empty directory it says that there is nothing", async () => {
  using temp = tempDirectory();
  const { answer, steps } = await turn(temp.path, "Summarise this repository");
  expect(steps).toEqual([[["ls", { path: ".", depth: 3 }]]]);
  expect(answer).toContain(
    "The working directory is empty: there is nothing to list, search or read.",
  );
});

test("a greeting needs no tools, and without tools it says so", async () => {
  using temp = tempDirectory();
  const hello = await turn(temp.path, "Hello!");
  expect(hello.steps).toEqual([]);
  expect(hello.answer).toMatch(/^Hello\. I am the offline demo model/);
  const names = builtinTools({ disabled: new Set() }).map(({ name }) => name);
  const blind = await turn(temp.path, "What is here?", { disabled: names });
  expect(blind.steps).toEqual([]);
  expect(blind.answer).toContain("it was given no tool to look at");
});

test("a refused call is told, not hidden", async () => {
  using temp = tempDirectory();
  const { answer } = await turn(temp.path, "Show me /etc/passwd");
  expect(answer).toContain("/etc/passwd is outside the working directory");
});

test("the same conversation gives the same answer, and a later turn remembers the earlier one", async () => {
  using temp = tempDirectory();
  plant(temp.path, PROJECT);
  const first = await turn(temp.path, "Where is the valve?");
  expect((await turn(temp.path, "Where is the valve?")).answer).toBe(first.answer);
  const second = await turn(temp.path, "And the pump?", { history: first.messages });
  expect(second.steps[0]).toHaveLength(3);
  expect(second.answer).toContain('Earlier in this session you asked: "Where is the valve?".');
  const ids = second.messages.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : [])),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test("the answer streams in pieces, ends with one finish, and counts its tokens", async () => {
  using temp = tempDirectory();
  const { parts, answer } = await turn(temp.path, "Hello");
  expect(parts.filter((part) => part.type === "text").length).toBeGreaterThan(5);
  expect(parts.filter((part) => part.type === "finish")).toHaveLength(1);
  expect(parts.at(-1)).toMatchObject({
    type: "finish",
    reason: "end_turn",
    usage: { outputTokens: Math.ceil(answer.length / 4), cachedInputTokens: 0, reasoningTokens: 0 },
  });
});

test("a limit of tokens cuts it off, and says so", async () => {
  using temp = tempDirectory();
  const { parts, answer } = await turn(temp.path, "Hello", {
    selected: { ...SELECTED, maxTokens: 5 },
  });
  expect(answer).toBe("Hello. I am the offl");
  expect(parts.at(-1)).toMatchObject({ type: "finish", reason: "max_tokens" });
});

test("an abort ends the stream with its reason", async () => {
  const controller = new AbortController();
  const reason = new Error("stop");
  const model = openDemoModel(SELECTED, { workingDirectory: "/" });
  const seen: StepPart[] = [];
  const reading = (async () => {
    const call = { system: "", messages: [says("Hello")], tools: [] };
    for await (const part of model.stream(call, controller.signal)) {
      seen.push(part);
      controller.abort(reason);
    }
  })();
  await expect(reading).rejects.toBe(reason);
  expect(seen).toHaveLength(1);
});

test("a whole turn costs little time of its own", async () => {
  using temp = tempDirectory();
  plant(
    temp.path,
    Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`f${at}.md`, `valve ${at}\n`.repeat(20)]),
    ),
  );
  const { messages } = await turn(temp.path, "Where is the valve?");
  const model = openDemoModel(SELECTED, { workingDirectory: temp.path });
  const started = performance.now();
  const call = { system: "", messages: messages.slice(0, -1), tools: [] };
  for await (const part of model.stream(call, new AbortController().signal))
    expect(part.type).not.toBe("tool_call");
  expect(performance.now() - started).toBeLessThan(300);
});
