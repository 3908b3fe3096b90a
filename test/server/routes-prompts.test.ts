import { expect, test } from "vitest";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import { QUEUE_LIMIT } from "../../src/session/take-prompt.ts";
import { askedWorkspace } from "../support/ask-server.ts";
import { closingServer } from "../support/closing-server.ts";
import { tap } from "../support/event-tap.ts";
import { fakeServer } from "../support/fake-server.ts";
import { scriptedRuns } from "../support/scripted-runs.ts";

const note = { file_path: "/n.md", file_name: "n.md", mime_type: "text/markdown", content: "aGk=" };
const image = { ...note, mime_type: "image/png" };

test("ACC-15: an attached text makes an empty prompt one, an image does not", async () => {
  await using server = fakeServer();
  const workspace = await askedWorkspace(server);
  expect(await workspace.prompt("a", { prompt: "", attachments: [image] })).toMatchObject({
    status: 400,
    body: { code: "no_prompt", message: "prompt is empty" },
  });
  const both = { prompt: "", attachments: [image, note] };
  expect((await workspace.prompt("b", both)).status).toBe(202);
  await server.settled(workspace.path, "b");
  const path = `${workspace.path}/sessions/${workspace.session}/messages`;
  const [asked] = (await server.ask("GET", path)).body;
  expect(asked.parts.filter(({ type }: { type: string }) => type === "binary")).toEqual([
    { type: "binary", data: { Path: "/n.md", MIMEType: "image/png", Data: "aGk=" } },
    { type: "binary", data: { Path: "/n.md", MIMEType: "text/markdown", Data: "aGk=" } },
  ]);
});

test.each([
  ["attachments.1.content", [note, { ...note, content: "no base64!" }]],
  ["attachments.0.content", [{ ...note, content: "aGk" }]],
  ["attachments.0.content", [{ file_path: "/a" }]],
  ["attachments", "all of them"],
])("an attachment that cannot be read is a 400 that names %s", async (field, attachments) => {
  await using server = fakeServer();
  const workspace = await askedWorkspace(server);
  const { status, body } = await workspace.prompt("r", { attachments });
  expect([status, body.code]).toEqual([400, "usage"]);
  expect(body.message).toContain(`bad request: ${field}: `);
});

test("W-17: attachments are part of what makes a run id the same prompt, its sender is not", async () => {
  await using server = fakeServer();
  const workspace = await askedWorkspace(server);
  const { prompt } = workspace;
  await prompt("r", { attachments: [note], client_id: "one" });
  const again = await prompt("r", { attachments: [note], client_id: "two" });
  expect(again).toMatchObject({ status: 202, body: { attached: true } });
  for (const attachments of [[], [{ ...note, content: "aG8=" }], [note, note]])
    expect(await prompt("r", { attachments })).toMatchObject({
      status: 409,
      body: { code: "run_conflict" },
    });
});

test("W-24: what waits is listed with run id, place, submitter, time and text", async () => {
  const runs = scriptedRuns();
  const active = runs.script("active");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  const prompts = `${workspace.path}/agent/sessions/${workspace.session}/prompts`;
  expect((await server.ask("GET", prompts)).body).toEqual([]);
  await workspace.prompt("active");
  active.unpark();
  await active.entered;
  const before = Date.now();
  await workspace.prompt("named", { client_id: "you" });
  await workspace.prompt("", { options: { retries: 1 } }); // with a wish of its own it is not folded
  while ((await server.ask("GET", `${prompts}/queued`)).body < 2)
    await new Promise((resolve) => setImmediate(resolve));
  const { body } = await server.ask("GET", prompts);
  const accepted_at = expect.any(Number);
  expect(body).toEqual([
    { run_id: "named", position: 1, client_id: "you", accepted_at, prompt: "ask named" },
    { run_id: null, position: 2, client_id: null, accepted_at, prompt: "ask " },
  ]);
  expect(body[0].accepted_at).toBeGreaterThanOrEqual(before);
});

test("W-24: a session with too many open prompts takes no more: 429, until some have ended", async () => {
  const runs = scriptedRuns();
  runs.script("0");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  for (let count = 0; count < QUEUE_LIMIT; count += 1)
    expect((await workspace.prompt(`${count}`)).status).toBe(202);
  expect(await workspace.prompt("more")).toMatchObject({
    status: 429,
    body: { code: "queue_full", remedy: expect.stringContaining("wait") },
  });
  const other = await server.session(workspace.path);
  expect((await workspace.prompt("elsewhere", { session_id: other })).status).toBe(202);
  await workspace.cancel();
  await server.settled(workspace.path, "0");
  await server.settled(workspace.path, `${QUEUE_LIMIT - 1}`);
  expect((await workspace.prompt("more")).status).toBe(202);
});

test("DSP-4, CLI-26: a workspace without an agent says that it is not ready, shows and cancels, and takes no prompt", async () => {
  await using server = fakeServer({ ready: null });
  const workspace = await askedWorkspace(server);
  const agent = `${workspace.path}/agent`;
  expect((await server.ask("GET", agent)).body).toMatchObject({ is_ready: false, is_busy: false });
  const session = `${agent}/sessions/${workspace.session}`;
  for (const answered of [
    await workspace.prompt("r"),
    await server.ask("POST", `${session}/summarize`),
  ])
    expect(answered).toMatchObject({
      status: 400,
      body: { code: "invalid_config", message: "agent not initialised" },
    });
  expect((await server.ask("GET", `${workspace.path}/runs`)).body).toEqual([]);
  expect(await workspace.cancel()).toMatchObject({ status: 200, body: { active: 0 } });
  expect((await server.ask("GET", `${session}/prompts/queued`)).body).toBe(0);
});

test("CLI-26: one with an agent is ready at once: each prompt waits for its own readiness", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await workspace.prompt("r");
  await run.parked;
  expect((await server.ask("GET", `${workspace.path}/agent`)).body).toMatchObject({
    is_ready: true,
    is_busy: false,
  });
});

test("DSP-21: a prompt whose agent is not ready yet is accepted at once, and its wait ends with the workspace", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  using listener = await tap(server, workspace.path);
  expect((await workspace.prompt("r")).status).toBe(202);
  await run.parked;
  await server.ask("DELETE", "/clients/me");
  await listener.ended;
  expect(await listener.terminal("r")).toMatchObject({
    cancelled: true,
    cancel_reason: "by_shutdown",
  });
});

test("DSP-9: of several faults the first of decode, workspace, agent, prompt, session and closing is told", async () => {
  await using bare = fakeServer({ ready: null });
  const agentless = await bare.workspace();
  await using closing = await closingServer();
  const post = async (path: string, body: unknown): Promise<[number, string]> => {
    const answered = await (path === agentless ? bare : closing).ask("POST", `${path}/agent`, body);
    return [answered.status, answered.body.message];
  };
  expect(await post("/workspaces/none", "{")).toEqual([400, "failed to decode request"]);
  expect((await post("/workspaces/none", { options: 7 }))[0]).toBe(400);
  expect(await post("/workspaces/none", {})).toEqual([404, "workspace not found"]);
  expect(await post(agentless, {})).toEqual([400, "agent not initialised"]);
  expect(await post(closing.path, {})).toEqual([400, "prompt is empty"]);
  expect(await post(closing.path, { prompt: "x" })).toEqual([400, "session id is missing"]);
  const unknown = { prompt: "x", session_id: "none" };
  expect(await post(closing.path, unknown)).toEqual([409, "workspace closing"]);
});

test("ACC-12, DSP-7, W-21: a workspace that is closing answers 409 with its code, and keeps nothing of the prompt", async () => {
  await using closing = await closingServer();
  const sent = { prompt: "x", session_id: closing.session, run_id: "late" };
  expect(await closing.ask("POST", `${closing.path}/agent`, sent)).toMatchObject({
    status: 409,
    body: { code: "by_shutdown", message: "workspace closing" },
  });
  expect(closing.workspace.store.runs.find("late" as never)).toBeNull();
  expect(closing.workspace.dispatcher.inFlight()).toBe(1); // the one that holds it up
});

test("RUN-21, W-22: a prompt that is refused has no terminal event and no record", async () => {
  await using server = fakeServer();
  const workspace = await askedWorkspace(server);
  using listener = await tap(server, workspace.path);
  const refused = [
    await workspace.prompt("no text", { prompt: "" }),
    await workspace.prompt("no session", { session_id: "" }),
    await workspace.prompt("unknown session", { session_id: "none" }),
    await workspace.prompt("bad file", { attachments: [{ ...note, content: "?" }] }),
  ];
  expect(refused.map(({ status, body }) => [status, body.code])).toEqual([
    [400, "no_prompt"],
    [400, "usage"],
    [404, "unknown_session"],
    [400, "usage"],
  ]);
  await workspace.prompt("good");
  await listener.terminal("good");
  const ends = listener.seen.filter(({ type }) => type === "run_complete");
  expect(ends.map(({ payload }) => payload.run_id)).toEqual(["good"]);
  const { body } = await server.ask("GET", `${workspace.path}/runs`);
  expect(body.map(({ run_id }: { run_id: string }) => run_id)).toEqual(["good"]);
});

test("W-21: each refusal has a code and words for a person, as JSON", async () => {
  await using server = fakeServer({ bodyLimitBytes: 4096 });
  const { path, session } = await askedWorkspace(server);
  const refused = async (method: string, below: string, body?: unknown) => {
    const { status, type, body: said } = await server.ask(method, below, body);
    expect([type, said.message]).toEqual(["application/json", expect.stringMatching(/./)]);
    return `${status} ${said.code}`;
  };
  expect([
    await refused("POST", `${path}/agent`, "{"),
    await refused("POST", `${path}/agent`, { session_id: session }),
    await refused("POST", `${path}/agent`, { prompt: "x" }),
    await refused("POST", `${path}/agent`, { prompt: "x", session_id: "none" }),
    await refused("POST", `${path}/agent`, { prompt: "x".repeat(5000), session_id: session }),
    await refused("POST", `${path}/agent`, { prompt: "x", session_id: session, client_id: "" }),
    await refused("GET", `${path}/runs/none`),
    await refused("GET", `${path}/sessions/none`),
    await refused("GET", "/workspaces/none"),
    await refused("DELETE", path),
    await refused("GET", "/nowhere"),
    await refused("POST", "/workspaces", { path: "here" }),
    await refused("POST", "/workspaces/none/sessions", "{"),
  ]).toEqual([
    "400 usage",
    "400 no_prompt",
    "400 usage",
    "404 unknown_session",
    "413 usage",
    "400 usage",
    "404 unknown_run",
    "404 unknown_session",
    "404 usage",
    "400 usage",
    "404 usage",
    "400 usage",
    "400 usage",
  ]);
});

test.each([
  ["a run's", new RunAborted("by_shutdown")],
  ["a request's", new DOMException("This operation was aborted", "AbortError")],
])("DSP-14: %s bare cancellation that surfaces in a route is a 500", async (_whose, thrown) => {
  await using server = fakeServer({
    config: () => {
      throw thrown;
    },
  });
  const { status, body } = await server.ask("POST", "/workspaces", { path: "/x" });
  expect(status).toBe(500);
  expect(body).toMatchObject({ code: expect.any(String), message: expect.stringMatching(/./) });
});

test("a request that is too large is a 413, counted in bytes, and nothing of it is done", async () => {
  await using server = fakeServer({ bodyLimitBytes: 400 });
  const workspace = await askedWorkspace(server);
  expect((await workspace.prompt("fits", { prompt: "ü".repeat(100) })).status).toBe(202);
  expect(await workspace.prompt("huge", { prompt: "ü".repeat(200) })).toMatchObject({
    status: 413,
    body: { code: "usage", message: "the request is larger than 400 bytes" },
  });
  expect((await server.ask("GET", `${workspace.path}/runs/huge`)).status).toBe(404);
});

test("a summary is made on request, not while the session is busy, and not only for as long as somebody waits", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  const path = `${workspace.path}/agent/sessions/${workspace.session}/summarize`;
  await workspace.prompt("r");
  run.unpark();
  await run.entered;
  expect(await server.ask("POST", path)).toMatchObject({
    status: 409,
    body: { code: "session_busy" },
  });
  run.release();
  await server.settled(workspace.path, "r");
  const impatient = new AbortController();
  const asked = server.raw("POST", path, { signal: impatient.signal });
  impatient.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
  const messages = `${workspace.path}/sessions/${workspace.session}/messages`;
  const summaries = async (): Promise<number> =>
    (await server.ask("GET", messages)).body.filter(
      (message: { is_summary_message?: boolean; parts: { type: string }[] }) =>
        message.is_summary_message === true && message.parts.some(({ type }) => type === "finish"),
    ).length;
  while ((await summaries()) === 0) await new Promise((resolve) => setImmediate(resolve));
  await workspace.prompt("more");
  await server.settled(workspace.path, "more");
  expect(await server.ask("POST", path)).toMatchObject({ status: 200, body: null });
  expect(await summaries()).toBe(2);
  expect(await server.ask("POST", path.replace(workspace.session, "none"))).toMatchObject({
    status: 404,
    body: { code: "unknown_session" },
  });
});

test("a summary that is cancelled says so", async () => {
  const runs = scriptedRuns();
  const summary = runs.script("");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await workspace.prompt("r");
  await server.settled(workspace.path, "r");
  const path = `${workspace.path}/agent/sessions/${workspace.session}/summarize`;
  const asked = server.ask("POST", path, { client_id: "me" });
  await summary.parked;
  summary.unpark();
  await summary.entered;
  expect((await workspace.cancel()).body).toMatchObject({ active: 1 });
  expect(await asked).toMatchObject({ status: 409, body: { code: "by_client" } });
});
