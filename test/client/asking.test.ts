import { expect, test } from "vitest";
import type { PromptBody } from "../../src/client/client.ts";
import { ServerRefused } from "../../src/client/server-refused.ts";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { answering } from "../support/opened-client.ts";

const runId = "r" as RunId;
const prompt: PromptBody = { sessionId: "s" as SessionId, runId, prompt: "hi", options: {} };
const never = new AbortController().signal;

test("API-8: what a prompt does not have is left out of it", async () => {
  const { client, heard } = await answering(202);
  const { sessionId } = prompt;
  const bare = { sessionId, runId: null, prompt: "hi", options: {} };
  await client.prompt(bare, never);
  await client.prompt({ ...bare, attachments: [] }, never);
  for (const { body } of heard.slice(1))
    expect(JSON.parse(body ?? "")).toEqual({ session_id: "s", prompt: "hi", client_id: "me" });
});

test("attachments go out with all their fields, as the wire names them", async () => {
  const { client, heard } = await answering(202);
  const note = { path: "/a/b.txt", name: "b.txt", mimeType: "text/plain", content: "aGk=" };
  await client.prompt({ ...prompt, attachments: [note] }, never);
  expect(JSON.parse(heard[1]?.body ?? "").attachments).toEqual([
    { file_path: "/a/b.txt", file_name: "b.txt", mime_type: "text/plain", content: "aGk=" },
  ]);
});

test.each([
  [404, '{"message":"workspace not found"}', "gone", "usage"],
  [404, '{"message":"there is no session s","code":"unknown_session"}', "gone", "unknown_session"],
  [409, '{"message":"session s is busy","code":"session_busy"}', "busy", "session_busy"],
  [409, '{"message":"client not attached"}', "busy", "usage"],
  [409, '{"message":"on its way out","code":"by_shutdown"}', "closing", "by_shutdown"],
  [409, '{"message":"workspace closing"}', "closing", "usage"],
  [
    503,
    '{"message":"server is shutting down","code":"by_shutdown"}',
    "shutting_down",
    "by_shutdown",
  ],
  [503, "<html>later</html>", "shutting_down", "provider_unavailable"],
  [500, '{"message":"oops"}', "refused", "internal"],
])(
  "API-10: %i with %s is a refusal of the kind %s, with the reason %s",
  async (status, body, kind, reason) => {
    const { client } = await answering(status, body);
    const calls = [
      client.prompt(prompt, never),
      client.getRun(runId, never),
      client.cancelRun(runId, "by_client", never),
      client.createSession("t", never),
      client.events(never),
      client.release(never),
    ];
    for (const call of calls) {
      const error: unknown = await call.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ServerRefused);
      expect(error).toMatchObject({ kind, status, failure: { reason } });
    }
  },
);

test("a cancel says why, and who asks", async () => {
  const { client, heard } = await answering(200);
  await client.cancelRun(runId, "signal", never);
  expect(JSON.parse(heard[1]?.body ?? "")).toEqual({ reason: "signal", client_id: "me" });
});
