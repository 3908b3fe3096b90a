import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readEvents } from "../../src/client/read-events.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import type { SessionId } from "../../src/protocol/ids.ts";
import type { Part } from "../../src/protocol/message.ts";
import { maskedEvent } from "../../src/server/masked-news.ts";
import { callsTools, says, type ModelStep } from "../support/fake-model.ts";
import { runWords } from "../support/log-events.ts";
import { emptyConfig, fakeServer } from "../support/fake-server.ts";

async function* none(): AsyncIterable<string> {}

const SECRET = "sk-0123456789abcdef";

const breaks: ModelStep = async function* broken() {
  yield { type: "text", text: "so far" };
  throw new Error(`cannot use ${SECRET} (${encodeURIComponent(`a=${SECRET}`)}) here`);
};

/** A run on these steps, of a workspace that learns of the secret only when the run begins. */
async function ran(...steps: ModelStep[]) {
  const secrets: string[] = [];
  const learns: ModelStep = (call, signal) => {
    if (secrets.length === 0) secrets.push(SECRET);
    return (steps[0] ?? says("ok"))(call, signal);
  };
  await using server = fakeServer({
    models: { m: [learns, ...steps.slice(1)] },
    config: (directory) => emptyConfig(directory, { secrets }),
  });
  const workspace = await server.workspace();
  const { body } = await server.raw("GET", `${workspace}/events?client_id=me&delta=1`);
  const session_id = await server.session(workspace);
  const prompt = { session_id, run_id: "r", prompt: "x", options: { model: "m", retries: 0 } };
  await server.ask("POST", `${workspace}/agent`, prompt);
  const events: WireEvent[] = [];
  for await (const event of readEvents(body ?? none())) {
    events.push(event);
    if (event.type === "agent_error" || event.type === "run_complete") break;
  }
  const record = await server.settled(workspace, "r");
  await server.server.close();
  const stored = join(server.directory, ".crush");
  const bytes = readdirSync(stored)
    .filter((name) => name.startsWith("crush-run.db"))
    .map((name) => readFileSync(join(stored, name), "latin1"))
    .join("");
  return { events, record, bytes };
}

test("a failure with a secret in it is told, recorded and stored without", async () => {
  const { events, record, bytes } = await ran(breaks);
  expect(record.outcome).toMatchObject({ reason: "internal", text: "so far" });
  expect(record.outcome.failure.message).toBe("Error: cannot use *** (a%3D***) here");
  expect(events.at(-1)).toMatchObject({ failure: { message: record.outcome.failure.message } });
  expect(bytes).toContain("cannot use ***");
  expect(bytes).not.toContain(SECRET);
});

test("what is told of a tool call has no secret in it", async () => {
  const { events } = await ran(callsTools({ name: "ls", input: { path: SECRET } }), says("done"));
  const started = events.find(({ type }) => type === "tool.started");
  expect(started).toMatchObject({ input: '{"path":"***"}' });
  expect(JSON.stringify(events)).not.toContain(SECRET);
});

test("what is told of a check has no secret in it", () => {
  const mask = (text: string): string => text.replaceAll(SECRET, "***");
  const about = { runId: null, sessionId: "s" as SessionId };
  const started = { ...about, type: "check.started", command: `echo ${SECRET}`, n: 1 } as const;
  expect(maskedEvent(started, mask)).toEqual({ ...started, command: "echo ***" });
  const told = { output: SECRET, exitCode: 1, truncated: false, ms: 1 };
  const completed = { ...about, type: "check.completed", ...told } as const;
  expect(maskedEvent(completed, mask)).toEqual({ ...completed, output: "***" });
});

test("the answer is the model's own, whatever stands in it", async () => {
  const { record } = await ran(says(`it is ${SECRET}`));
  expect(record.outcome.text).toBe(`it is ${SECRET}`);
});

test("a client that knows no deltas is told of tool calls and failures without secrets too", () => {
  const mask = (text: string): string => text.replaceAll(SECRET, "***");
  const { finished } = runWords();
  const said: readonly Part[] = [
    { type: "text", text: SECRET },
    { type: "tool_call", id: "c", name: "ls", input: `{"path":"${SECRET}"}`, finished: true },
    {
      type: "tool_result",
      toolCallId: "c",
      name: "ls",
      content: `no ${SECRET}`,
      isError: true,
      metadata: `{"path":"${SECRET}"}`,
    },
    { type: "finish", reason: "error", time: 1, message: "Run failed", details: SECRET },
  ];
  const shown = maskedEvent(finished(said), mask);
  expect(shown).toEqual(
    finished([
      { type: "text", text: SECRET },
      { type: "tool_call", id: "c", name: "ls", input: '{"path":"***"}', finished: true },
      {
        type: "tool_result",
        toolCallId: "c",
        name: "ls",
        content: "no ***",
        isError: true,
        metadata: '{"path":"***"}',
      },
      { type: "finish", reason: "error", time: 1, message: "Run failed", details: "***" },
    ]),
  );
});
