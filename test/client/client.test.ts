import { getEventListeners } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import type { PromptBody, WorkspaceClient } from "../../src/client/client.ts";
import { RunFailed, type RunFailure } from "../../src/protocol/ending.ts";
import type { Answer } from "../../src/protocol/http.ts";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { encodeRunRecord } from "../../src/protocol/run-record.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { answer } from "../support/fake-transport.ts";
import { answering, opened } from "../support/opened-client.ts";
import { settledRecord } from "../support/run-record.ts";

const runId = "r/1" as RunId;
const prompt: PromptBody = {
  sessionId: "s" as SessionId,
  runId,
  prompt: "hi",
  options: { timeoutMs: 5 },
};
const never = new AbortController().signal;

async function failureOf(work: Promise<unknown>): Promise<RunFailure> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof RunFailed) return error.failure;
  throw error ?? new Error("it did not fail");
}

test("a workspace is asked for with path and client id, and nothing that was not wished for", async () => {
  const { heard } = await opened();
  expect(heard.map(({ method, url }) => `${method} ${url}`)).toEqual([
    "POST http://c/v1/workspaces",
  ]);
  expect(JSON.parse(heard[0]?.body ?? "")).toEqual({ id: "", path: "/project", client_id: "me" });
  expect(heard[0]?.headers).toEqual({
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(heard[0]?.body ?? "")),
  });
});

test("sources and warnings of the configuration come with the workspace", async () => {
  const body = '{"id":"w","config_sources":["/a"],"warnings":["careful"]}';
  const { client } = await opened(() => answer(200, body));
  expect([client.configSources, client.warnings]).toEqual([["/a"], ["careful"]]);
});

test.each([
  ["API-1", 202, ""],
  ["API-1", 202, "accepted, thank you"],
  ["API-2", 200, ""],
])("%s: status %i with the body %j is an accepted prompt", async (_id, status, body) => {
  const { client } = await answering(status, body);
  expect(await client.prompt(prompt, never)).toEqual({ attached: false, settled: false });
});

test("a prompt carries session, run id, text and options in the wire's words", async () => {
  const { client, heard } = await answering(202);
  await client.prompt(prompt, never);
  expect(heard[1]?.url).toBe("http://c/v1/workspaces/w/agent");
  expect(JSON.parse(heard[1]?.body ?? "")).toEqual({
    session_id: "s",
    run_id: "r/1",
    prompt: "hi",
    client_id: "me",
    options: { timeout_ms: 5 },
  });
});

test("a prompt whose run has ended already says so", async () => {
  const { client } = await answering(202, '{"seq":1,"state":"settled","attached":true}');
  expect(await client.prompt(prompt, never)).toEqual({ attached: true, settled: true });
});

test("API-3: the message of a refusal is passed on, with its status", async () => {
  const { client } = await answering(400, '{"message":"prompt is empty"}');
  const { message, httpStatus } = await failureOf(client.prompt(prompt, never));
  expect(message).toContain("status code 400");
  expect(message).toContain("prompt is empty");
  expect(httpStatus).toBe(400);
});

test.each([
  ["API-4", "<html>oops</html>"],
  ["API-5", ""],
  ["API-6", '{"error":"x"}'],
])(
  "%s: of a refusal without a message (%s) the status is told, not the body",
  async (_id, body) => {
    const { client } = await answering(500, body);
    expect((await failureOf(client.prompt(prompt, never))).message).toBe(
      "the server answered with status code 500",
    );
  },
);

test("a refusal of ours keeps its code and its remedy", async () => {
  const body = '{"message":"there is no session s","code":"unknown_session","remedy":"try"}';
  const { client } = await answering(404, body);
  expect(await failureOf(client.prompt(prompt, never))).toMatchObject({
    reason: "unknown_session",
    message: "there is no session s",
    remedy: "try",
  });
});

test("a refusal with a code and no message still has a text", async () => {
  const { client } = await answering(409, '{"message":"","code":"run_conflict"}');
  expect(await failureOf(client.prompt(prompt, never))).toMatchObject({
    reason: "run_conflict",
    message: "the server answered with status code 409",
  });
});

test("API-9: a cancel that is refused is a failure with its status", async () => {
  const { client } = await answering(500);
  const failed = failureOf(client.cancelRun(runId, "by_client", never));
  expect((await failed).message).toContain("status code 500");
});

test("API-7: a server that cannot be reached before the prompt is unavailable, and may be tried again", async () => {
  const refuses = async (): Promise<Answer> => {
    throw new Error("connect ECONNREFUSED");
  };
  expect(await failureOf(opened(refuses))).toMatchObject({
    reason: "provider_unavailable",
    message: "cannot reach the server: connect ECONNREFUSED",
    httpStatus: null,
  });
});

test.each([
  ["the prompt", (client: WorkspaceClient) => client.prompt(prompt, never)],
  ["the record", (client: WorkspaceClient) => client.getRun(runId, never)],
  ["the cancel", (client: WorkspaceClient) => client.cancelRun(runId, "by_client", never)],
])("API-7: a connection that fails with %s leaves the outcome unknown", async (_what, work) => {
  const { client } = await opened(({ url }) => {
    if (url.endsWith("/workspaces")) return undefined;
    throw new Error("socket hang up");
  });
  expect(await failureOf(work(client))).toMatchObject({
    reason: "server_lost",
    message: "cannot reach the server: socket hang up",
  });
});

test("a call that is not answered ends after 90 seconds", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { client } = await opened(({ url, signal }) =>
    url.endsWith("/workspaces") ? undefined : orAborted(new Promise<Answer>(() => {}), signal),
  );
  const asked = failureOf(client.prompt(prompt, never));
  const opening = failureOf(client.events(never));
  await vi.advanceTimersByTimeAsync(90_000);
  expect(await asked).toMatchObject({
    reason: "server_lost",
    message: expect.stringContaining("within 90 s"),
  });
  expect(await opening).toMatchObject({ reason: "provider_unavailable" });
});

test("the bound of the event stream is over when it has begun", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { client, heard } = await opened(({ url }) =>
    url.includes("/events") ? answer(200, quiet()) : undefined,
  );
  await client.events(never);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(heard.at(-1)?.signal.aborted).toBe(false);
});

async function* quiet(): AsyncIterable<string> {
  yield await new Promise<never>(() => {});
}

test("an abort ends a call with the signal's own reason, and leaves no listener", async () => {
  const abort = new AbortController();
  const { client } = await opened(({ url, signal }) =>
    url.endsWith("/workspaces") ? undefined : orAborted(new Promise<Answer>(() => {}), signal),
  );
  const why = new Error("enough");
  const asked = client.getRun(runId, abort.signal);
  abort.abort(why);
  await expect(asked).rejects.toBe(why);
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
});

test("a record is asked for by run id and decoded", async () => {
  const record = settledRecord("r" as RunId);
  const { client, heard } = await answering(200, JSON.stringify(encodeRunRecord(record)));
  expect(await client.getRun(runId, never)).toEqual(record);
  expect(heard.at(-1)).toMatchObject({
    method: "GET",
    url: "http://c/v1/workspaces/w/runs/r%2F1",
    body: null,
  });
});

test.each(["", "{}", "<html>", '{"run_id":1}'])(
  "an answer of %j for a record is no record: the outcome is unknown",
  async (body) => {
    const { client } = await answering(200, body);
    expect(await failureOf(client.getRun(runId, never))).toMatchObject({
      reason: "server_lost",
      message: "the server's answer to GET /v1/workspaces/w/runs/r%2F1 is not understood",
    });
  },
);

test("sessions are created, found and listed", async () => {
  const session = { id: "s", parent_session_id: "", title: "t", updated_at: 3 };
  const { client, heard } = await opened(({ url, method }) => {
    if (url.endsWith("/workspaces")) return undefined;
    const many = method === "GET" && url.endsWith("/sessions");
    return answer(200, JSON.stringify(many ? [session] : session));
  });
  const decoded = { id: "s", parentSessionId: null, title: "t", updatedAt: 3, isEmpty: false };
  expect(await client.createSession("t", never)).toEqual(decoded);
  expect(await client.getSession("a b", never)).toEqual(decoded);
  expect(await client.listSessions(never)).toEqual([decoded]);
  expect(heard.slice(1).map(({ method, url }) => `${method} ${url.slice(12)}`)).toEqual([
    "POST workspaces/w/sessions",
    "GET workspaces/w/sessions/a%20b",
    "GET workspaces/w/sessions",
  ]);
});

test("a release names the client", async () => {
  const { client, heard } = await answering(200);
  await client.release(never);
  expect(heard.at(-1)).toMatchObject({ method: "DELETE", url: "http://c/v1/clients/me" });
});

test("a stream that is refused is a failure with the server's message", async () => {
  const { client } = await answering(404, '{"message":"workspace not found","code":"usage"}');
  expect(await failureOf(client.events(never))).toMatchObject({ message: "workspace not found" });
});

test("leaving the events closes their stream", async () => {
  const { client, heard } = await opened(({ url }) =>
    url.includes("/events") ? answer(200, 'data: {"type":"gap","payload":{}}\n\n') : undefined,
  );
  for await (const event of await client.events(never)) {
    expect(event).toEqual({ type: "gap" });
    break;
  }
  expect(heard.at(-1)?.signal.aborted).toBe(true);
});
