import { expect, test } from "vitest";
import { claimsOf } from "../../src/server/claims.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { askedWorkspace } from "../support/ask-server.ts";
import { tap } from "../support/event-tap.ts";
import { emptyConfig, fakeServer } from "../support/fake-server.ts";
import { handAlarms } from "../support/hand-alarms.ts";
import { scriptedRuns } from "../support/scripted-runs.ts";

/** A server that loses sight of its clients, with runs that the test holds. */
function lossy(more: { readonly onLastClosed?: () => void } = {}) {
  const alarms = handAlarms();
  const runs = scriptedRuns();
  const server = fakeServer({ alarms, ...runs.wishes, ...more });
  const status = async (path: string): Promise<number> => (await server.ask("GET", path)).status;
  return { alarms, runs, server, status };
}

/** Nothing but microtasks and what is due at once: what does not wait for a thing happens meanwhile. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test("SHU-17: a client that asks for a workspace and never listens holds it for 30 s", async () => {
  const { alarms, server, status } = lossy();
  await using _ = server;
  const workspace = await server.workspace();
  alarms.pass(29_999);
  expect(await status(workspace)).toBe(200);
  await server.workspace(); // asked for again, its time begins anew
  alarms.pass(29_999);
  expect(await status(workspace)).toBe(200);
  alarms.pass(1);
  expect(await status(workspace)).toBe(404);
});

test("SHU-17: one that never listens is forgotten without harm to the workspace of another", async () => {
  const { alarms, server, status } = lossy();
  await using _ = server;
  const workspace = await server.workspace();
  await server.workspace("silent");
  using _listener = await tap(server, workspace, "me");
  alarms.pass(30_000);
  expect(alarms.left()).toEqual([]);
  expect(await status(workspace)).toBe(200);
});

test("SHU-16, W-28: a stream that drops without a word is a blip for 10 s: the workspace stays, and its run with it", async () => {
  const { alarms, runs, server, status } = lossy();
  await using _ = server;
  const workspace = await askedWorkspace(server);
  const run = runs.script("r");
  const first = await tap(server, workspace.path);
  expect(alarms.left()).toEqual([]);
  await workspace.prompt("r");
  run.unpark();
  await run.entered;
  first.drop();
  expect(alarms.left()).toEqual([10_000]);
  alarms.pass(9_999);
  using again = await tap(server, workspace.path);
  expect(alarms.left()).toEqual([]);
  alarms.pass(60_000);
  expect(await status(workspace.path)).toBe(200);
  run.release();
  expect(await again.terminal("r")).toMatchObject({ text: "r done" });
});

test("SHU-16, SHU-10: without a reconnect the workspace is gone when the 10 s are over", async () => {
  const { alarms, server, status } = lossy();
  await using _ = server;
  const workspace = await server.workspace();
  (await tap(server, workspace)).drop();
  alarms.pass(9_999);
  expect(await status(workspace)).toBe(200);
  alarms.pass(1);
  expect(await status(workspace)).toBe(404);
});

test("SHU-16: of two streams of a client one may drop; a stream that was never read counts as well", async () => {
  const { alarms, server } = lossy();
  await using _ = server;
  const workspace = await server.workspace();
  const unread = new AbortController();
  await server.raw("GET", `${workspace}/events?client_id=me`, { signal: unread.signal });
  const read = await tap(server, workspace);
  read.drop();
  await settle(); // its reader has ended too: that must not count a second time
  expect(alarms.left()).toEqual([]);
  unread.abort();
  expect(alarms.left()).toEqual([10_000]);
});

test("W-28: runs hold the workspace of clients that were lost, and end it when they have ended", async () => {
  const { alarms, runs, server, status } = lossy();
  await using _ = server;
  const workspace = await askedWorkspace(server);
  const run = runs.script("r");
  await workspace.prompt("r");
  run.unpark();
  await run.entered;
  alarms.pass(60_000);
  await settle();
  expect(await status(workspace.path)).toBe(200);
  run.release();
  while ((await status(workspace.path)) === 200) await settle();
  const again = await server.workspace("later");
  expect(await server.settled(again, "r")).toMatchObject({ outcome: { text: "r done" } });
});

test("SHU-12, W-28: a client that comes back before the last run has ended keeps the workspace", async () => {
  const { alarms, runs, server, status } = lossy();
  await using _ = server;
  const workspace = await askedWorkspace(server);
  const run = runs.script("r");
  await workspace.prompt("r");
  run.unpark();
  await run.entered;
  alarms.pass(30_000); // the teardown is decided, and waits for the run
  expect(await server.workspace("back")).toBe(workspace.path);
  run.release();
  await server.settled(workspace.path, "r");
  await settle();
  expect(await status(workspace.path)).toBe(200);
  alarms.pass(30_000);
  await settle();
  expect(await status(workspace.path)).toBe(404);
});

test("W-28: a last client that lets go ends the runs, and hears back when all is closed", async () => {
  const { runs, server, status } = lossy();
  await using _ = server;
  const workspace = await askedWorkspace(server);
  const run = runs.script("r");
  await workspace.prompt("r");
  run.unpark();
  await run.entered;
  expect((await server.ask("DELETE", `${workspace.path}?client_id=me`)).status).toBe(200);
  expect(await status(workspace.path)).toBe(404);
  const again = await server.workspace("later");
  expect((await server.ask("GET", `${again}/runs/r`)).body).toMatchObject({
    state: "settled",
    outcome: { reason: "by_shutdown" },
  });
});

test("a directory that is asked for while its workspace is closing gets a new one, and the old run its one end", async () => {
  const { runs, server } = lossy();
  await using _ = server;
  const workspace = await askedWorkspace(server);
  const run = runs.script("r");
  await workspace.prompt("r");
  run.unpark();
  await run.entered;
  const leaving = server.ask("DELETE", "/clients/me");
  const next = await server.workspace("next");
  expect(next).not.toBe(workspace.path);
  await leaving;
  const record = await server.settled(next, "r");
  expect(record).toMatchObject({ outcome: { reason: "by_shutdown" } });
  expect((await server.ask("GET", `${next}/runs`)).body).toEqual([record]);
});

test("DSP-12, SHU-11: of two clients one goes, the one that prompted too: the workspace stays and the other sees the end", async () => {
  const { alarms, runs, server, status } = lossy();
  await using _ = server;
  const workspace = await askedWorkspace(server);
  await server.workspace("other");
  const mine = await tap(server, workspace.path, "me");
  using theirs = await tap(server, workspace.path, "other");
  const run = runs.script("r");
  await workspace.prompt("r", { client_id: "me" });
  run.unpark();
  await run.entered;
  mine.drop();
  await server.ask("DELETE", "/clients/me");
  alarms.pass(60_000);
  expect(await status(workspace.path)).toBe(200);
  run.release();
  expect(await theirs.terminal("r")).toMatchObject({ text: "r done" });
  expect(theirs.finishes("assistant")).toEqual(["end_turn"]);
  // It is the only one left: when it goes, so does the workspace.
  await server.ask("DELETE", "/clients/other");
  expect(await status(workspace.path)).toBe(404);
});

test("a client with open streams that lets go is gone without a grace when they end", async () => {
  const { alarms, server, status } = lossy();
  await using _ = server;
  const workspace = await server.workspace();
  const listener = await tap(server, workspace);
  await server.ask("DELETE", `${workspace}?client_id=me`);
  expect(await status(workspace)).toBe(200);
  listener.drop();
  expect(alarms.left()).toEqual([]);
  expect(await status(workspace)).toBe(404);
});

test("a client that is retired is gone at once, whatever it listens to, and never comes back", async () => {
  const { server, status } = lossy();
  await using _ = server;
  const workspace = await server.workspace();
  using listener = await tap(server, workspace);
  expect((await server.ask("DELETE", "/clients/me")).status).toBe(200);
  await listener.ended;
  expect(await status(workspace)).toBe(404);
  expect((await server.ask("DELETE", "/clients/me")).status).toBe(200);
  const again = await server.ask("POST", "/workspaces", {
    path: server.directory,
    client_id: "me",
  });
  expect(again).toMatchObject({
    status: 409,
    body: { message: "client has been retired", code: "usage" },
  });
});

test("a client that is retired while its workspace is being opened does not get it", async () => {
  const [asked, loaded] = [deferred(), deferred()];
  await using server = fakeServer({
    config: async (directory) => {
      asked.resolve();
      await loaded.promise;
      return emptyConfig(directory);
    },
  });
  const opening = server.ask("POST", "/workspaces", { path: server.directory, client_id: "me" });
  await asked.promise;
  await server.ask("DELETE", "/clients/me");
  loaded.resolve();
  expect((await opening).status).toBe(409);
  expect((await server.ask("GET", "/workspaces")).body).toEqual([]);
});

test("SHU-13: the server hears once that its last workspace is closed, and not while another is open or being opened", async () => {
  let told = 0;
  const { server } = lossy({ onLastClosed: () => (told += 1) });
  await using _ = server;
  await server.workspace("one");
  await server.workspace("two");
  await server.ask("DELETE", "/clients/one");
  expect(told).toBe(0);
  const reopening = server.workspace("three");
  await server.ask("DELETE", "/clients/two");
  await reopening;
  expect(told).toBe(0);
  await server.ask("DELETE", "/clients/three");
  expect(told).toBe(1);
  await server.ask("DELETE", "/clients/three");
  expect(told).toBe(1);
});

test("a server that is closed opens nothing any more: 503", async () => {
  let told = 0;
  const { server } = lossy({ onLastClosed: () => (told += 1) });
  await using _ = server;
  await server.workspace();
  await server.server.close();
  const asked = await server.ask("POST", "/workspaces", { path: server.directory, client_id: "x" });
  expect(asked).toMatchObject({ status: 503, body: { code: "by_shutdown" } });
  expect(told).toBe(0); // whoever closes it knows
});

test("clients that give no name hold a workspace like others, each for itself", async () => {
  const { alarms, server, status } = lossy();
  await using _ = server;
  const { body } = await server.ask("POST", "/workspaces", { path: server.directory });
  const workspace = `/workspaces/${body.id}`;
  const abort = new AbortController();
  await server.raw("GET", `${workspace}/events`, { signal: abort.signal });
  alarms.pass(30_000);
  expect(await status(workspace)).toBe(200);
  abort.abort();
  alarms.pass(10_000);
  expect(await status(workspace)).toBe(404);
});

test("the one client of an embedded server is never lost: no alarm is set for it", () => {
  const left: string[] = [];
  const claims = claimsOf({
    times: null,
    setAlarm: () => {
      throw new Error("nobody asked for that");
    },
    onLast: (how) => left.push(how),
  });
  claims.hold("me");
  claims.attach("me")();
  expect([claims.isEmpty(), left]).toEqual([false, []]);
  claims.release("me");
  expect([claims.isEmpty(), left]).toEqual([true, ["let_go"]]);
});
