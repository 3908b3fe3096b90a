import { afterEach, beforeEach, expect, test } from "vitest";
import type { MessageId, SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part } from "../../src/protocol/message.ts";
import type { Session } from "../../src/protocol/session.ts";
import { rfc3339 } from "../../src/transcript/rfc3339.ts";
import { sessionJson } from "../../src/transcript/session-json.ts";

const zone = process.env["TZ"];
beforeEach(() => {
  process.env["TZ"] = "UTC";
});
afterEach(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

const session: Session = {
  id: "00000000-0000-4000-8000-000000000001" as SessionId,
  parentSessionId: null,
  title: "Fix <bug>",
  messageCount: 1,
  promptTokens: 1200,
  completionTokens: 80,
  cost: 0.01,
  summaryMessageId: null,
  createdAt: 1_787_227_200,
  updatedAt: 1_787_227_500,
};
const message = (parts: readonly Part[], more: Partial<Message> = {}): Message => ({
  id: "77aa" as MessageId,
  sessionId: session.id,
  role: "assistant",
  parts,
  model: "gpt-4o",
  provider: "openai",
  createdAt: 1_787_227_205,
  updatedAt: 1_787_227_205,
  ...more,
});
const json = sessionJson(
  () => "703e28f876f666f2",
  (text) => text.replaceAll("sk-secret", "***"),
);
const partsOf = (...parts: readonly Part[]): string =>
  JSON.stringify(json.whole(session, [message(parts)])["messages"]).replace(/^.*?"parts":/, "");

test("an entry of the list has its fields in their order", () => {
  expect(JSON.stringify(json.entry(session))).toBe(
    '{"id":"703e28f876f666f2","uuid":"00000000-0000-4000-8000-000000000001","title":"Fix <bug>","created":"2026-08-20T12:00:00Z","modified":"2026-08-20T12:05:00Z"}',
  );
});

test("what was done to a session is said of it", () => {
  expect(JSON.stringify(json.changed(session, "renamed"))).toBe(
    '{"id":"703e28f876f666f2","uuid":"00000000-0000-4000-8000-000000000001","title":"Fix <bug>","renamed":true}',
  );
});

test("a whole session has its fields in their order", () => {
  const whole = json.whole(session, [message([{ type: "text", text: "Hi" }])]);
  expect(JSON.stringify(whole)).toBe(
    '{"meta":{"id":"703e28f876f666f2","uuid":"00000000-0000-4000-8000-000000000001","title":"Fix <bug>","created":"2026-08-20T12:00:00Z","modified":"2026-08-20T12:05:00Z","cost":0.01,"prompt_tokens":1200,"completion_tokens":80,"total_tokens":1280},"messages":[{"id":"77aa","role":"assistant","created":"2026-08-20T12:00:05Z","model":"gpt-4o","provider":"openai","parts":[{"type":"text","text":"Hi"}]}]}',
  );
});

test("what no model wrote names none, and an unknown cost is 0", () => {
  const user = message([], { role: "user", model: "", provider: "" });
  const whole = json.whole({ ...session, cost: null }, [user]);
  expect(whole).toMatchObject({ meta: { cost: 0 } });
  expect(whole["messages"]).toEqual([
    { id: "77aa", role: "user", created: "2026-08-20T12:00:05Z", parts: [] },
  ]);
});

test("each kind of part is flat, and what is empty is left out", () => {
  expect(
    partsOf(
      { type: "text", text: "" },
      {
        type: "reasoning",
        thinking: "hm",
        startedAt: 1,
        finishedAt: 2,
        providerMetadata: { a: 1 },
      },
      { type: "reasoning", thinking: "" },
      { type: "tool_call", id: "c", name: "bash", input: "{}", finished: true },
      {
        type: "tool_result",
        toolCallId: "c",
        name: "bash",
        content: "x",
        isError: true,
        metadata: "{}",
      },
      {
        type: "tool_result",
        toolCallId: "c",
        name: "bash",
        content: "",
        isError: false,
        metadata: "",
      },
      { type: "binary", path: "a.png", mimeType: "image/png", data: "AAAAAA==" },
      { type: "finish", reason: "end_turn", time: 5, message: "m" },
      { type: "finish", reason: "stop", time: 0 },
    ),
  ).toBe(
    `[${[
      '{"type":"text"}',
      '{"type":"reasoning","thinking":"hm","started_at":1,"finished_at":2}',
      '{"type":"reasoning"}',
      '{"type":"tool_call","tool_call_id":"c","name":"bash","input":"{}"}',
      '{"type":"tool_result","tool_call_id":"c","name":"bash","content":"x","is_error":true}',
      '{"type":"tool_result","tool_call_id":"c","name":"bash"}',
      '{"type":"binary","mime_type":"image/png","size":4}',
      '{"type":"finish","reason":"end_turn","time":5}',
      '{"type":"finish","reason":"stop"}',
    ].join(",")}]}]`,
  );
});

test("a part of another version is unknown", () => {
  const later = { type: "shell_command", command: "ls" } as unknown as Part;
  expect(partsOf(later)).toBe('[{"type":"unknown"}]}]');
});

test("skills are told once, by time, then by name", () => {
  const loaded = (name: string, description?: string): Part => ({
    type: "tool_result",
    toolCallId: "c",
    name: "view",
    content: "x",
    isError: false,
    metadata: JSON.stringify({
      resource_type: "skill",
      resource_name: name,
      ...(description === undefined ? {} : { resource_description: description }),
    }),
  });
  const nothing = { ...loaded(""), metadata: "{" } as Part;
  const whole = json.whole(session, [
    message([loaded("b", "first"), loaded("a"), loaded(""), nothing]),
    message([loaded("b", "second")], { createdAt: session.updatedAt }),
  ]);
  const at = "2026-08-20T12:00:05Z";
  expect(whole["meta"]).toMatchObject({
    skills: [
      { name: "a", description: "", loaded_at: at },
      { name: "b", description: "first", loaded_at: at },
    ],
  });
});

test("no text of it holds a secret", () => {
  const secret = "sk-secret";
  const whole = json.whole({ ...session, title: secret }, [
    message([
      { type: "text", text: secret },
      { type: "reasoning", thinking: secret },
      { type: "tool_call", id: "c", name: "bash", input: secret, finished: true },
      {
        type: "tool_result",
        toolCallId: "c",
        name: "b",
        content: secret,
        isError: false,
        metadata: "",
      },
    ]),
  ]);
  expect(JSON.stringify(whole)).not.toContain(secret);
});

test.each([
  ["UTC", "2026-08-20T12:00:00Z"],
  ["Europe/Berlin", "2026-08-20T14:00:00+02:00"],
  ["America/St_Johns", "2026-08-20T09:30:00-02:30"],
  ["Asia/Kathmandu", "2026-08-20T17:45:00+05:45"],
])("times are in the local zone: %s", (name, text) => {
  process.env["TZ"] = name;
  expect(rfc3339(1_787_227_200)).toBe(text);
});
