import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readEvents } from "../../src/client/read-events.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { Part } from "../../src/protocol/message.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";
import { maskedDeltas } from "../../src/server/masked-deltas.ts";
import { maskedEvent, maskedRecord } from "../../src/server/masked-news.ts";
import type { Json } from "../../src/shared/json.ts";
import { createMask } from "../../src/shared/masked.ts";
import { callsTools, says, type ModelStep } from "../support/fake-model.ts";
import { runWords } from "../support/log-events.ts";
import { settledRecord } from "../support/run-record.ts";
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

const inPieces = (text: string, size: number): ModelStep =>
  async function* speaks() {
    for (let at = 0; at < text.length; at += size) {
      yield { type: "reasoning", text: text.slice(at, at + size) };
      await new Promise((resolve) => setTimeout(resolve, 40)); // each piece in an event of its own
    }
    for (let at = 0; at < text.length; at += size) {
      yield { type: "text", text: text.slice(at, at + size) };
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    yield { type: "finish", reason: "end_turn", usage: NO_USAGE };
  };

test("what the model says is told, recorded and streamed without the secret, also when it comes in pieces", async () => {
  const { events, record } = await ran(inPieces(`it is ${SECRET}, I am sk`, 7));
  expect(record.outcome.text).toBe("it is ***, I am sk");
  const streamed = (type: "text.delta" | "reasoning.delta"): string =>
    events.map((event) => (event.type === type ? event.text : "")).join("");
  expect(streamed("text.delta")).toBe("it is ***, I am sk");
  expect(streamed("reasoning.delta")).toBe("it is ***, I am sk");
  expect(events).toContainEqual(
    expect.objectContaining({ type: "message.completed", text: "it is ***, I am sk" }),
  );
  expect(JSON.stringify(events)).not.toContain(SECRET);
});

test("a text that may begin a secret waits, and is told when its message ends or starts again", () => {
  const told = maskedDeltas(createMask(() => [SECRET]));
  const ids = { runId: "r" as RunId, sessionId: "s" as SessionId };
  const messageId = "m" as MessageId;
  const text = (said: string): WireEvent => ({ type: "text.delta", messageId, text: said, ...ids });
  expect(told(text("so sk-"))).toEqual([text("so ")]);
  expect(told(text("012 and"))).toEqual([text("sk-012 and")]);
  expect(told(text(" sk-0"))).toEqual([text(" ")]);
  const reset: WireEvent = { type: "text.reset", messageId, ...ids };
  expect(told(reset)).toEqual([reset]);
  expect(told(text("again s"))).toEqual([text("again ")]);
  const completed: WireEvent = { type: "message.completed", messageId, text: "again s", ...ids };
  expect(told(completed)).toEqual([text("s"), completed]);
  expect(told(completed)).toEqual([completed]);
});

test("a structured answer has no secret in its values and names", () => {
  const structured = { a: [SECRET, 1], [SECRET]: null };
  const record = settledRecord("r" as RunId, { text: JSON.stringify(structured), structured });
  const mask = (text: string): string => text.replaceAll(SECRET, "***");
  expect(maskedRecord(record, mask).outcome).toMatchObject({
    text: '{"a":["***",1],"***":null}',
    structured: { a: ["***", 1], "***": null },
  });
});

test("a structured answer stays the same JSON in text and value, whatever the secret looks like", () => {
  const mask = createMask(() => ["123456789", '":true,"']).whole;
  const structured: Json = JSON.parse(
    '{"n":123456789,"m":7,"a":true,"b":false,"__proto__":{"c":null}}',
  );
  const record = settledRecord("r" as RunId, { text: JSON.stringify(structured), structured });
  const { text = "", structured: shown } = maskedRecord(record, mask).outcome ?? {};
  expect(text).toBe('{"n":"***","m":7,"a":true,"b":false,"__proto__":{"c":null}}');
  expect(JSON.stringify(shown)).toBe(text);
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
      { type: "text", text: "***" },
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
