import { join } from "node:path";
import { expect, test } from "vitest";
import { newMessageId, newRunId, type SessionId } from "../../src/protocol/ids.ts";
import { openStore } from "../../src/store/store.ts";
import { askedWorkspace } from "../support/ask-server.ts";
import { fakeServer } from "../support/fake-server.ts";
import { scriptedRuns } from "../support/scripted-runs.ts";

const settled = async (
  server: ReturnType<typeof fakeServer>,
  workspace: Awaited<ReturnType<typeof askedWorkspace>>,
  runId: string,
): Promise<void> => {
  await workspace.prompt(runId);
  await server.settled(workspace.path, runId);
};

test("a copy of a session has its title and messages, and ends where the last run has ended", async () => {
  const runs = scriptedRuns();
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await settled(server, workspace, "done");
  const active = runs.script("active");
  await workspace.prompt("active");
  active.unpark();
  await active.entered;
  const sessions = `${workspace.path}/sessions`;
  const { status, body } = await server.ask("POST", sessions, { fork_of: workspace.session });
  const original = (await server.ask("GET", `${sessions}/${workspace.session}`)).body;
  expect(status).toBe(200);
  expect(body).toMatchObject({ title: original.title, message_count: 2, is_busy: false });
  expect(original).toMatchObject({ is_busy: true, message_count: 4 });
  const said = (await server.ask("GET", `${sessions}/${body.id}/messages`)).body;
  expect(said.map(({ role }: { role: string }) => role)).toEqual(["user", "assistant"]);
  active.release();
});

test("of a session that is not there is 404, and so is no copy made", async () => {
  await using server = fakeServer();
  const { path } = await askedWorkspace(server);
  const refused = await server.ask("POST", `${path}/sessions`, { fork_of: "nobody" });
  expect(refused).toMatchObject({ status: 404, body: { code: "unknown_session" } });
  expect((await server.ask("GET", `${path}/sessions`)).body.length).toBe(1);
});

test("for one run id it is one session, for another or another copy it is another", async () => {
  await using server = fakeServer();
  const { path, session } = await askedWorkspace(server);
  const made = async (wishes: object): Promise<string> =>
    (await server.ask("POST", `${path}/sessions`, { title: "t", ...wishes })).body.id;
  const wishes = [{ run_id: "a" }, { run_id: "b" }, { run_id: "a", fork_of: session }];
  const first = await Promise.all(wishes.map(made));
  expect(new Set(first).size).toBe(3);
  expect(await Promise.all(wishes.map(made))).toEqual(first);
  expect((await server.ask("GET", `${path}/sessions`)).body.length).toBe(4);
});

test("a run that is known in another session has none of its own: 409, and none is made", async () => {
  await using server = fakeServer();
  const workspace = await askedWorkspace(server);
  await settled(server, workspace, "known");
  const sessions = `${workspace.path}/sessions`;
  const refused = await server.ask("POST", sessions, { title: "t", run_id: "known" });
  expect(refused).toMatchObject({ status: 409, body: { code: "run_conflict" } });
  expect((await server.ask("GET", sessions)).body.length).toBe(1);
});

test.each([
  ["without a title", {}, "title"],
  ["with an empty run id", { title: "t", run_id: "" }, "run_id"],
  ["with a run id that is too long", { title: "t", run_id: "x".repeat(129) }, "run_id"],
  ["with a copy of no text", { title: "t", fork_of: 7 }, "fork_of"],
])("%s it is a 400 that names the field", async (_, body, field) => {
  await using server = fakeServer();
  const { path } = await askedWorkspace(server);
  const refused = await server.ask("POST", `${path}/sessions`, body);
  expect(refused).toMatchObject({ status: 400, body: { code: "usage" } });
  expect(refused.body.message).toContain(field);
});

test("a prompt that shall not wait is 409 while its session is busy, and its run id stays free", async () => {
  const runs = scriptedRuns();
  const active = runs.script("active");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await workspace.prompt("active");
  active.unpark();
  await active.entered;
  const options = { if_busy: "fail" };
  expect(await workspace.prompt("late", { options })).toMatchObject({
    status: 409,
    body: { code: "session_busy" },
  });
  expect((await server.ask("GET", `${workspace.path}/runs/late`)).status).toBe(404);
  active.release();
  await server.settled(workspace.path, "active");
  expect((await workspace.prompt("late", { options })).status).toBe(202);
});

test("a copy has what a process said that has died since, whoever else looks", async () => {
  await using server = fakeServer();
  const workspace = await askedWorkspace(server);
  const sessionId = workspace.session as SessionId;
  const other = openStore(join(server.directory, ".crush"), { limitBytes: null });
  const body = { prompt: "p", attachments: [], options: {}, bodyHash: "h", clientId: null };
  const who = { runId: newRunId(), sessionId, owner: other.ownerId, now: 1_000 };
  const turn = other.runs.insert({ kind: "prompt", ...body, ...who });
  other.runs.move(turn, "active", 1_000);
  const said = { sessionId, turn, role: "user", model: "", provider: "", now: 1 } as const;
  other.messages.insert({ ...said, id: newMessageId(), parts: [{ type: "text", text: "so far" }] });
  const sessions = `${workspace.path}/sessions`;
  const before = await server.ask("POST", sessions, { fork_of: sessionId });
  expect(before.body.message_count).toBe(0);
  other.close();
  const { body: copy } = await server.ask("POST", sessions, { fork_of: sessionId });
  expect(copy.message_count).toBe(1);
});
