import { expect, test } from "vitest";
import { openWorkspace, type WorkspaceClient } from "../../src/client/client.ts";
import { domainEvents, type DomainEvent } from "../../src/client/domain-events.ts";
import { sendPrompt } from "../../src/client/domain-prompt.ts";
import { RunFailed } from "../../src/protocol/ending.ts";
import type { SessionId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import { fails, stalls, type ModelStep } from "../support/fake-model.ts";
import { fakeServer, type FakeServer } from "../support/fake-server.ts";
import { answer, fakeTransport } from "../support/fake-transport.ts";

const never = new AbortController().signal;
const place = (path: string) => ({ path, dataDir: null, trustConfig: false });

async function connected(server: FakeServer): Promise<WorkspaceClient> {
  const client = crypto.randomUUID();
  return await openWorkspace(
    server.transport,
    "http://crush.test",
    client,
    place(server.directory),
    never,
  );
}

/** What a person's screen is told, until `last` fits. */
async function shown(
  client: WorkspaceClient,
  act: (sessionId: SessionId) => Promise<void>,
  last: (event: DomainEvent) => boolean,
): Promise<DomainEvent[]> {
  const { id } = await client.createSession("t", never);
  const stream = await client.events(never, "whole");
  await act(id);
  const seen: DomainEvent[] = [];
  for await (const event of stream) {
    seen.push(...domainEvents(event));
    if (seen.some(last)) break;
  }
  return seen;
}

const prompt = (sessionId: SessionId) => ({ sessionId, prompt: "hi", options: {} });
const unnamed = (step: ModelStep) => ({ models: { "": [step] } });

test("API-8, CLI-31: a prompt that nobody waits for is sent without RunID, and without attachments when it has none", async () => {
  const { transport, heard } = fakeTransport(({ url }) =>
    url.endsWith("/agent") ? answer(202) : undefined,
  );
  const client = await openWorkspace(transport, "http://c", "me", place("/p"), never);
  expect(await sendPrompt(client, prompt("s" as SessionId), never)).toBeNull();
  expect(Object.keys(JSON.parse(heard.at(-1)?.body ?? "") as object)).toEqual([
    "session_id",
    "prompt",
    "client_id",
  ]);
});

test("CLI-31: a prompt that is not accepted is shown as what the server says", async () => {
  await using server = fakeServer();
  const client = await connected(server);
  const refused = await sendPrompt(client, prompt("gone" as SessionId), never);
  expect(refused).toMatchObject({ reason: "unknown_session" });
  expect(refused?.message).toContain("gone");
});

test("CLI-31: the answer comes through the events, as messages", async () => {
  await using server = fakeServer();
  const client = await connected(server);
  const seen = await shown(
    client,
    async (id) => expect(await sendPrompt(client, prompt(id), never)).toBeNull(),
    ({ type }) => type === "terminal",
  );
  const texts = seen.flatMap((event) => (event.type === "message" ? [textOf(event.message)] : []));
  expect([texts[0], texts.at(-1)]).toEqual(["hi", "ok"]);
  expect(seen.at(-1)).toMatchObject({ type: "terminal", runId: null, text: "ok", error: null });
});

test("CLI-31: a later failure comes through the events, and asks for busy and queue anew", async () => {
  await using server = fakeServer(unnamed(fails()));
  const client = await connected(server);
  const seen = await shown(
    client,
    async (id) => expect(await sendPrompt(client, prompt(id), never)).toBeNull(),
    ({ type }) => type === "refresh",
  );
  expect(seen.slice(-2)).toMatchObject([
    { type: "notification", kind: "error", runId: null, message: "fake: provider_error" },
    { type: "refresh" },
  ]);
});

test("CLI-31, INV-15: a cancel is shown as no error", async () => {
  await using server = fakeServer(unnamed(stalls({ type: "text", text: "so far" })));
  const client = await connected(server);
  const { body } = await server.ask("GET", "/workspaces");
  const [workspace] = body as { id: string }[];
  let session = "" as SessionId;
  const seen = await shown(
    client,
    async (id) => {
      session = id;
      const telling = await client.events(never);
      expect(await sendPrompt(client, prompt(id), never)).toBeNull();
      for await (const event of telling) if (event.type === "text.delta") break;
      const path = `/workspaces/${workspace?.id}/agent/sessions/${session}/cancel`;
      await server.ask("POST", path);
    },
    ({ type }) => type === "terminal",
  );
  expect(seen.at(-1)).toMatchObject({ type: "terminal", cancelled: true, text: "so far" });
  expect(seen.filter(({ type }) => type === "notification")).toEqual([]);
});

test("a prompt that is given up rejects with the reason of its signal", async () => {
  const abort = new AbortController();
  abort.abort(new Error("enough"));
  const lost = { prompt: async () => Promise.reject(new RunFailed({} as never)) };
  await expect(sendPrompt(lost, prompt("s" as SessionId), abort.signal)).rejects.toThrow("enough");
});
