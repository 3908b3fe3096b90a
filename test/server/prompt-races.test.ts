import { expect, test } from "vitest";
import { askedWorkspace } from "../support/ask-server.ts";
import { tap } from "../support/event-tap.ts";
import { fakeServer } from "../support/fake-server.ts";
import { scriptedRuns } from "../support/scripted-runs.ts";

const user = (text: string) => ({ role: "user", text, finish: "stop" });
const canceled = { role: "assistant", text: "", finish: "canceled" };

test("ACC-8, ACC-9, CAN-19, PER-19, SSE-14, W-19: a cancel right after the 202 hits the prompt that is accepted and not yet ready, and nothing of it reaches a model", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  using listener = await tap(server, workspace.path);
  expect(await workspace.prompt("r")).toMatchObject({ status: 202, body: { state: "reserved" } });
  expect(await workspace.cancel()).toMatchObject({
    status: 200,
    body: { active: 0, reserved: 1, queued: 0 },
  });
  run.unpark();
  run.release();
  const terminal = await listener.terminal("r");
  expect(terminal).toMatchObject({ session_id: workspace.session, cancelled: true });
  expect(await workspace.messages()).toEqual([user("ask r"), canceled]);
  expect(run.calls()).toBe(0);
  const told = listener.seen.filter(({ type }) => type === "message");
  expect(told.map(({ payload }) => [payload.role, payload.session_id])).toEqual([
    ["user", workspace.session],
    ["assistant", workspace.session],
  ]);
  expect(listener.finishes("assistant")).toEqual(["canceled"]);
});

test("ACC-9: a prompt whose readiness goes on while it is cancelled keeps its place in the order of acceptance", async () => {
  const runs = scriptedRuns();
  const [first, second] = [runs.script("first"), runs.script("second")];
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await workspace.prompt("first");
  await first.parked;
  await workspace.cancel();
  await workspace.prompt("second");
  for (const run of [second, first]) {
    run.unpark();
    run.release();
  }
  expect(await server.settled(workspace.path, "first")).toMatchObject({ status: "cancelled" });
  expect(await server.settled(workspace.path, "second")).toMatchObject({
    outcome: { reason: "end_turn", text: "second done" },
  });
});

test("CAN-20, W-20: another client's cancel is told to both as the cancel that it is, with who asked for it, and as no error", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await server.workspace("other");
  using mine = await tap(server, workspace.path, "me");
  using theirs = await tap(server, workspace.path, "other");
  await workspace.prompt("r", { client_id: "me" });
  run.unpark();
  await run.entered;
  const answered = await workspace.cancel({ client_id: "other" });
  expect(answered).toMatchObject({ status: 200, body: { active: 1, reserved: 0, queued: 0 } });
  for (const listener of [mine, theirs]) {
    expect(await listener.terminal("r")).toMatchObject({
      cancelled: true,
      cancel_reason: "by_client",
      cancelled_by: "other",
    });
    expect(listener.finishes("assistant")).toEqual(["canceled"]);
    const errors = listener.seen.filter(
      ({ type, payload }) => type === "agent_event" && payload.error !== undefined,
    );
    expect(errors).toEqual([]);
  }
  expect(await server.settled(workspace.path, "r")).toMatchObject({
    outcome: { reason: "by_client", cancelled_by: "other" },
  });
});

test("DSP-13: that a run was cancelled turns no answer into an error: neither the one that was given nor those that are asked for", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  const posted = await workspace.prompt("r");
  run.unpark();
  await run.entered;
  const answers = [posted, await workspace.cancel()];
  await server.settled(workspace.path, "r");
  answers.push(
    await workspace.prompt("r"),
    await workspace.cancel(),
    await server.ask("GET", `${workspace.path}/runs/r`),
    await server.ask("POST", `${workspace.path}/runs/r/cancel`),
    await server.ask("GET", `${workspace.path}/agent`),
  );
  expect(answers.map(({ status }) => status)).toEqual([202, 200, 202, 200, 200, 200, 200]);
});

test("W-20: a run that is cancelled by its id names reason and actor as well", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  using listener = await tap(server, workspace.path);
  await workspace.prompt("r");
  run.unpark();
  await run.entered;
  const body = { reason: "signal", client_id: "me" };
  await server.ask("POST", `${workspace.path}/runs/r/cancel`, body);
  expect(await listener.terminal("r")).toMatchObject({
    cancel_reason: "signal",
    cancelled_by: "me",
  });
});

test("W-19: the answer to a cancel says what it hit, by where each prompt stood", async () => {
  const runs = scriptedRuns();
  const [active, queued, reserved] = ["active", "queued", "reserved"].map(runs.script);
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  const prompts = `${workspace.path}/agent/sessions/${workspace.session}/prompts/queued`;
  await workspace.prompt("active");
  active?.unpark();
  await active?.entered;
  await workspace.prompt("queued");
  await workspace.prompt("reserved");
  queued?.unpark();
  await reserved?.parked;
  while ((await server.ask("GET", prompts)).body === 0)
    await new Promise((resolve) => setImmediate(resolve));
  expect(await workspace.cancel()).toMatchObject({
    status: 200,
    body: { active: 1, reserved: 1, queued: 1 },
  });
  for (const runId of ["active", "queued", "reserved"])
    expect(await server.settled(workspace.path, runId)).toMatchObject({ status: "cancelled" });
  expect((await workspace.cancel()).body).toEqual({ active: 0, reserved: 0, queued: 0 });
});

test("CAN-21, DSP-16: two prompts of a session are two runs; a cancel ends the running one and the one that follows, whatever opens then", async () => {
  const runs = scriptedRuns();
  const [one, two] = [runs.script("one"), runs.script("two")];
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  using listener = await tap(server, workspace.path);
  expect((await workspace.prompt("one")).status).toBe(202);
  one.unpark();
  await one.entered;
  expect((await workspace.prompt("two")).status).toBe(202);
  await two.parked;
  expect((await workspace.cancel()).body).toEqual({ active: 1, reserved: 1, queued: 0 });
  for (const run of [one, two]) {
    run.unpark();
    run.release();
  }
  expect(await listener.terminal("one")).toMatchObject({ cancelled: true });
  expect(await listener.terminal("two")).toMatchObject({ cancelled: true });
  expect(listener.finishes("assistant")).toEqual(["canceled", "canceled"]);
  expect(await workspace.messages()).toEqual([
    user("ask one"),
    canceled,
    user("ask two"),
    canceled,
  ]);
  expect([one.calls(), two.calls()]).toEqual([1, 0]);
});

test("DSP-16: two prompts of a session that nobody cancels both run, one after the other", async () => {
  const runs = scriptedRuns();
  const [one, two] = [runs.script("one"), runs.script("two")];
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await workspace.prompt("one");
  await workspace.prompt("two");
  two.unpark();
  one.unpark();
  await one.entered;
  expect(two.calls()).toBe(0);
  one.release();
  await two.entered;
  two.release();
  for (const runId of ["one", "two"])
    expect(await server.settled(workspace.path, runId)).toMatchObject({
      outcome: { text: `${runId} done` },
    });
});

test("DSP-11: a deadline of the request that passes after the 202 is nothing to the run", async () => {
  const runs = scriptedRuns();
  const run = runs.script("r");
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  const deadline = new AbortController();
  const body = JSON.stringify({ session_id: workspace.session, run_id: "r", prompt: "x" });
  const posted = await server.raw("POST", `${workspace.path}/agent`, {
    body,
    signal: deadline.signal,
  });
  expect(posted.status).toBe(202);
  run.unpark();
  await run.entered;
  deadline.abort(new DOMException("50 ms are over", "TimeoutError"));
  run.release();
  expect(await server.settled(workspace.path, "r")).toMatchObject({
    outcome: { reason: "end_turn", text: "r done" },
  });
});

test("ACC-16, W-35: what init and update of the agent do meanwhile is nothing to an accepted prompt: it can be cancelled, and runs as it was accepted", async () => {
  const runs = scriptedRuns();
  const [kept, ended] = [runs.script("kept"), runs.script("ended")];
  await using server = fakeServer(runs.wishes);
  const workspace = await askedWorkspace(server);
  await workspace.prompt("ended");
  await ended.parked;
  for (const path of ["init", "update"])
    await server.ask("POST", `${workspace.path}/agent/${path}`, { interactive: false });
  expect((await workspace.cancel()).body).toMatchObject({ reserved: 1 });
  const { seq } = (await workspace.prompt("kept")).body;
  await server.ask("POST", `${workspace.path}/agent/init`, { interactive: true });
  kept.unpark();
  kept.release();
  ended.unpark();
  expect(await server.settled(workspace.path, "ended")).toMatchObject({ status: "cancelled" });
  expect(await server.settled(workspace.path, "kept")).toMatchObject({ status: "completed" });
  // One generator of sequences for both: the cancel was measured by what the second was stamped with.
  expect(seq).toBe(2);
});

test("ERR-18: a workspace whose creating request was aborted afterwards makes later prompts ready all the same", async () => {
  const runs = scriptedRuns();
  await using server = fakeServer(runs.wishes);
  const creating = new AbortController();
  const body = JSON.stringify({ path: server.directory, client_id: "me" });
  await (await server.raw("POST", "/workspaces", { body, signal: creating.signal })).text();
  creating.abort();
  const workspace = await askedWorkspace(server);
  const seen: boolean[] = [];
  const run = runs.script("r");
  await workspace.prompt("r");
  await run.parked;
  seen.push(creating.signal.aborted);
  run.unpark();
  run.release();
  expect(await server.settled(workspace.path, "r")).toMatchObject({ status: "completed" });
  expect(seen).toEqual([true]);
});
