import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace, type CrushPlace } from "../support/crush.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { shell } from "../support/shell.ts";

const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

/** The lines of the block under this heading, as they would be typed. */
function commandsUnder(heading: string): string[] {
  const block = new RegExp(`^## ${heading}\\n[^#]*?\`\`\`sh\\n([^]*?)\`\`\``, "m").exec(
    README,
  )?.[1];
  if (block === undefined) throw new Error(`README.md has no commands under ${heading}`);
  return block.split("\n").filter((line) => line !== "");
}

interface Story {
  /** What a person would take it for, in a line of the page. */
  readonly flag: string;
  readonly script: readonly FakeStep[];
  readonly stdout: string;
  /** In the place afterwards. */
  readonly files?: Readonly<Record<string, string>>;
  /** In the last request. */
  readonly asked?: string;
}

const calling = (name: string, input: object): FakeStep => ({
  toolCalls: [{ id: `call_${name}`, name, input }],
});

/** One for each line, in its order. */
const STORIES: readonly Story[] = [
  {
    flag: '"What does',
    script: [calling("ls", {}), { text: "It lists TODOs." }],
    stdout: "It lists TODOs.\n",
  },
  {
    flag: "--read-only",
    script: [{ text: "OK" }],
    stdout: "",
    files: { "review.txt": "OK\n" },
    asked: "+const two = 2; // TODO: three",
  },
  {
    flag: "error.log",
    script: [{ text: "In index.js." }],
    stdout: "In index.js.\n",
    asked: "ENOENT: no such file",
  },
  {
    flag: "--max-cost",
    script: [{ text: "Fixed." }],
    stdout: "Fixed.\n",
  },
  {
    flag: "--check",
    script: [
      { text: "Done?" },
      calling("write", { file_path: "fixed", content: "" }),
      { text: "Done." },
    ],
    stdout: "Done.\n",
    asked: "the test is red",
  },
  { flag: "--output json", script: [{ text: "Yes." }], stdout: "Yes.\n" },
  {
    flag: "--schema",
    script: [{ text: '{"todos":["three"]}' }],
    stdout: '{\n  "todos": [\n    "three"\n  ]\n}\n',
  },
  { flag: "--file", script: [{ text: "Nothing." }], stdout: "Nothing.\n", asked: "image/png" },
  {
    flag: "--allow",
    script: [calling("bash", { command: "git log --oneline" }), { text: "One commit." }],
    stdout: "One commit.\n",
    asked: "The beginning",
  },
  {
    flag: "--continue",
    script: [{ text: "Ein Commit." }],
    stdout: "Ein Commit.\n",
    asked: "One commit.",
  },
];

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** As much of git and jq as the page uses: a machine that runs the tests need not have them. */
const GIT = `#!/bin/sh
case "$1" in
  diff) echo "+const two = 2; // TODO: three" ;;
  log) echo "1234567 The beginning" ;;
  *) exit 1 ;;
esac
`;
const JQ = `#!/usr/bin/env node
const words = process.argv.slice(2);
const isRaw = words[0] === "-r";
const path = words.at(-1).split(".").filter((word) => word !== "");
let value = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
for (const name of path) value = value[name];
console.log(isRaw ? String(value) : JSON.stringify(value, null, 2));
`;

/** A small project with a change, a failing test and what the commands name. */
function fill(place: CrushPlace): void {
  place.write("index.js", "const one = 1;\nconst two = 2; // TODO: three\n");
  place.write("error.log", "Error: ENOENT: no such file, index.js:7\n");
  writeFileSync(join(place.home, "jq"), JQ, { mode: 0o755 });
  writeFileSync(join(place.home, "git"), GIT, { mode: 0o755 });
  const check = "test -e fixed || { echo the test is red; exit 1; }";
  place.write("package.json", JSON.stringify({ scripts: { test: check } }));
  place.write("screenshot.png", Buffer.from(PNG, "base64"));
  const todos = { type: "array", items: { type: "string" } };
  const schema = { type: "object", properties: { todos }, required: ["todos"] };
  place.write("todo.schema.json", JSON.stringify(schema));
}

test("the ten commands of the README do what they say", async () => {
  const commands = commandsUnder("Ten commands");
  expect(commands).toEqual(STORIES.map(({ flag }) => expect.stringContaining(flag) as unknown));
  let script: readonly FakeStep[] = [];
  let next = 0;
  await using provider = await startFakeProvider(() => script[next++] ?? { status: 400 });
  const model = {
    id: "model",
    supports_attachments: true,
    context_window: 100_000,
    cost_per_1m_in: 1,
    cost_per_1m_out: 1,
  };
  const fake = {
    type: "openai-compat",
    base_url: `${provider.url}/v1`,
    api_key: "k",
    models: [model],
  };
  const models = { large: { provider: "fake", model: "model" } };
  await using place = crushPlace({ configuration: { providers: { fake }, models } });
  fill(place);
  for (const [at, story] of STORIES.entries()) {
    [script, next] = [story.script, 0];
    const { status, stdout, stderr } = await shell(
      place,
      `set -o pipefail\nPATH="$HOME:$PATH"\n${commands[at] ?? ""}`,
    );
    expect({ command: commands[at], status, stdout, stderr }).toMatchObject({
      status: 0,
      stdout: story.stdout,
    });
    expect([commands[at], next]).toEqual([commands[at], story.script.length]);
    const { body } = provider.requests.at(-1) ?? {};
    expect(JSON.stringify(body)).toContain(story.asked ?? "");
    for (const [file, content] of Object.entries(story.files ?? {}))
      expect(readFileSync(join(place.work, file), "utf8")).toBe(content);
  }
}, 120_000);

test("the README needs no key for its first command", async () => {
  await using place = crushPlace();
  const [line = ""] = /\.\/bin\/crush run -m demo\/offline.*/.exec(README) ?? [];
  const ended = await shell(place, line.replace("./bin/crush", "crush"));
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  expect(ended.stdout).toMatch(/\S/);
});
