import { expect, test } from "vitest";
import { callsTools, gated, says, stalls } from "../support/fake-model.ts";
import { fakeServer } from "../support/fake-server.ts";

test("API-1, DSP-2: a prompt is accepted with 202 before it runs, and can be asked for", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const accepted = await server.ask("POST", `${workspace}/agent`, {
    session_id,
    run_id: "r1",
    prompt: "hi",
  });
  expect(accepted).toMatchObject({
    status: 202,
    body: { state: "reserved", attached: false, run_id: "r1" },
  });
  const record = await server.settled(workspace, "r1");
  expect(record).toMatchObject({
    run_id: "r1",
    state: "settled",
    status: "completed",
    exit_code: 0,
    outcome: { reason: "end_turn", text: "ok" },
  });
  expect((await server.ask("GET", `${workspace}/runs`)).body).toEqual([record]);
  const messages = await server.ask("GET", `${workspace}/sessions/${session_id}/messages`);
  expect(messages.body.map(({ role }: { role: string }) => role)).toEqual(["user", "assistant"]);
});

test.each([
  ["DSP-8: no JSON", "{", 400, "usage"],
  ["DSP-5: an empty prompt", { session_id: "s", prompt: "" }, 400, "no_prompt"],
  ["DSP-6: no session", { prompt: "hi" }, 400, "usage"],
  ["ACC-15: neither", {}, 400, "no_prompt"],
  ["ERR-14: an unknown session", { session_id: "none", prompt: "hi" }, 404, "unknown_session"],
  ["a prompt that is no text", { session_id: "s", prompt: 7 }, 400, "usage"],
  [
    "options that are none",
    { session_id: "s", prompt: "x", options: { retries: -1 } },
    400,
    "usage",
  ],
])("%s is refused", async (_what, sent, status, code) => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const answered = await server.ask("POST", `${workspace}/agent`, sent);
  expect(answered).toMatchObject({ status, body: { code, message: expect.stringMatching(/./) } });
  expect((await server.ask("GET", `${workspace}/runs`)).body).toEqual([]);
});

test("DSP-9: a body that cannot be read comes before a workspace that is not there", async () => {
  await using server = fakeServer();
  expect((await server.ask("POST", "/workspaces/none/agent", "{")).status).toBe(400);
});

test("wrong options name their field", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const sent = { session_id: "s", prompt: "x", options: { timeout_ms: "soon" } };
  const { body } = await server.ask("POST", `${workspace}/agent`, sent);
  expect(body.message).toContain("options.timeoutMs");
});

test("ACC-15: a prompt of white space is a prompt", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const sent = { session_id, prompt: " " };
  expect((await server.ask("POST", `${workspace}/agent`, sent)).status).toBe(202);
});

test("W-17: a run id used again is 202 for the same body and 409 for another", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const sent = { session_id, run_id: "r", prompt: "hi", options: { retries: 1 } };
  const post = async (body: unknown) => await server.ask("POST", `${workspace}/agent`, body);
  await post(sent);
  expect(await post({ ...sent })).toMatchObject({ status: 202, body: { attached: true } });
  await server.settled(workspace, "r");
  expect(await post(sent)).toMatchObject({ status: 202, body: { state: "settled" } });
  for (const other of [
    { ...sent, prompt: "ho" },
    { ...sent, options: { retries: 2 } },
  ])
    expect(await post(other)).toMatchObject({ status: 409, body: { code: "run_conflict" } });
});

test("CAN-22, DSP-19, DSP-20: queue, busy flag and cancel of a session", async () => {
  const gate = gated(says("x"));
  await using server = fakeServer({ models: { slow: [gate.step] } });
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const agent = `${workspace}/agent`;
  const queue = `${agent}/sessions/${session_id}/prompts`;
  const busy = async (): Promise<unknown> => (await server.ask("GET", agent)).body.is_busy;
  expect(await busy()).toBe(false);
  await server.ask("POST", agent, {
    session_id,
    run_id: "a",
    prompt: "one",
    options: { model: "slow" },
  });
  await gate.entered;
  await server.ask("POST", agent, { session_id, run_id: "b", prompt: "two" });
  while ((await server.ask("GET", `${queue}/queued`)).body !== 1)
    await new Promise((resolve) => setImmediate(resolve));
  expect((await server.ask("GET", `${queue}/list`)).body).toEqual(["two"]);
  expect(await busy()).toBe(true);
  expect((await server.ask("POST", `${queue}/clear`)).body).toEqual({ cleared: 1 });
  expect((await server.ask("GET", `${queue}/queued`)).body).toBe(0);
  const cancel = `${agent}/sessions/${session_id}/cancel`;
  expect(await server.ask("POST", cancel)).toMatchObject({
    status: 200,
    body: { active: 1, reserved: 0, queued: 0 },
  });
  await server.settled(workspace, "a");
  expect(await server.settled(workspace, "b")).toMatchObject({ status: "cancelled", exit_code: 3 });
  expect(await server.ask("POST", cancel)).toMatchObject({
    status: 200,
    body: { active: 0, reserved: 0, queued: 0 },
  });
  expect(await server.ask("POST", `${agent}/sessions/none/cancel`)).toMatchObject({ status: 200 });
  expect((await server.ask("GET", `${queue}/queued`)).body).toBe(0);
  expect(await busy()).toBe(false);
});

test("W-18: one run is cancelled with its reason; a settled one says that there was nothing to cancel", async () => {
  await using server = fakeServer({ models: { slow: [stalls()] } });
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const options = { model: "slow" };
  await server.ask("POST", `${workspace}/agent`, { session_id, run_id: "r", prompt: "x", options });
  const cancel = async (body?: unknown) =>
    await server.ask("POST", `${workspace}/runs/r/cancel`, body);
  expect((await cancel({ reason: "signal" })).body).toEqual({ cancelled: true });
  expect(await server.settled(workspace, "r")).toMatchObject({ outcome: { reason: "signal" } });
  expect((await cancel()).body).toEqual({ cancelled: false });
});

test.each([["{"], ["null"], ['{"reason":"end_turn"}'], ['{"reason":"because"}']])(
  "a cancel with the body %s is a cancel by a client",
  async (body) => {
    await using server = fakeServer({ models: { slow: [stalls()] } });
    const workspace = await server.workspace();
    const session_id = await server.session(workspace);
    const options = { model: "slow" };
    await server.ask("POST", `${workspace}/agent`, {
      session_id,
      run_id: "r",
      prompt: "x",
      options,
    });
    await server.ask("POST", `${workspace}/runs/r/cancel`, body);
    expect(await server.settled(workspace, "r")).toMatchObject({
      outcome: { reason: "by_client" },
    });
  },
);

test("a run that is not known is a 404 with its code", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  for (const [method, path] of [
    ["GET", "/runs/none"],
    ["POST", "/runs/none/cancel"],
  ] as const)
    expect(await server.ask(method, `${workspace}${path}`)).toMatchObject({
      status: 404,
      body: { code: "unknown_run" },
    });
});

test("init and update of the agent are answered, with nothing to do", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  for (const path of ["/agent/init", "/agent/update"])
    expect((await server.ask("POST", `${workspace}${path}`)).status).toBe(200);
});

test("DSP-10: the end of the request that sent a prompt is nothing to its run", async () => {
  const gate = gated(says("done"));
  await using server = fakeServer({ models: { slow: [gate.step] } });
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const abort = new AbortController();
  const body = JSON.stringify({ session_id, run_id: "r", prompt: "x", options: { model: "slow" } });
  await server.raw("POST", `${workspace}/agent`, { body, signal: abort.signal });
  await gate.entered;
  abort.abort();
  gate.open();
  expect(await server.settled(workspace, "r")).toMatchObject({ outcome: { text: "done" } });
});

test("what a step calls is in the messages as the wire has it", async () => {
  await using server = fakeServer({
    models: { tools: [callsTools({ name: "fly", input: { to: 1 } }), says("no wings")] },
  });
  const workspace = await server.workspace();
  const session_id = await server.session(workspace);
  const options = { model: "tools" };
  await server.ask("POST", `${workspace}/agent`, { session_id, run_id: "r", prompt: "x", options });
  await server.settled(workspace, "r");
  const { body } = await server.ask("GET", `${workspace}/sessions/${session_id}/messages`);
  expect(body[1].parts[0]).toEqual({
    type: "tool_call",
    data: { id: "call-0", name: "fly", input: '{"to":1}', finished: true },
  });
  expect(body[2].parts[0]).toMatchObject({ type: "tool_result", data: { is_error: true } });
});
