import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import { emptyConfig, fakeServer } from "../support/fake-server.ts";

test("health is empty, and the version names the capabilities", async () => {
  await using server = fakeServer();
  expect(await server.ask("GET", "/health")).toMatchObject({ status: 200, body: null });
  const { status, body } = await server.ask("GET", "/version");
  expect(status).toBe(200);
  expect(body).toMatchObject({
    version: "1.2.3",
    capabilities: [
      "run_options",
      "run_resource",
      "delta_events",
      "run_id_events",
      "session_fork",
      "session_of_run",
    ],
  });
});

test("DSP-18: an unknown route is a 404 with a message and a code", async () => {
  await using server = fakeServer();
  expect(await server.ask("GET", "/nowhere")).toEqual({
    status: 404,
    type: "application/json",
    body: { message: "there is no such route", code: "usage", remedy: null },
  });
});

test("DSP-3, DSP-19: every route of a workspace that is not there is a 404", async () => {
  await using server = fakeServer();
  const prompt = { session_id: "s", prompt: "hi" };
  const paths: [string, string, unknown?][] = [
    ["GET", ""],
    ["GET", "/events"],
    ["GET", "/sessions"],
    ["POST", "/sessions", { title: "t" }],
    ["GET", "/sessions/s"],
    ["GET", "/sessions/s/messages"],
    ["GET", "/agent"],
    ["POST", "/agent", prompt],
    ["POST", "/agent/init"],
    ["POST", "/agent/update"],
    ["POST", "/agent/sessions/s/summarize"],
    ["POST", "/agent/sessions/s/prompts/clear"],
    ["GET", "/agent/sessions/s/prompts"],
    ["POST", "/agent/sessions/s/cancel"],
    ["GET", "/agent/sessions/s/prompts/queued"],
    ["GET", "/agent/sessions/s/prompts/list"],
    ["GET", "/runs"],
    ["GET", "/runs/r"],
    ["POST", "/runs/r/cancel"],
  ];
  for (const [method, path, body] of paths) {
    const answered = await server.ask(method, `/workspaces/none${path}`, body);
    expect([answered.status, answered.body], `${method} ${path}`).toEqual([
      404,
      { message: "workspace not found", code: "usage", remedy: null },
    ]);
  }
});

test("a workspace is created for an absolute path, and shown with its sources and warnings", async () => {
  await using server = fakeServer({
    config: (directory) => emptyConfig(directory, { sources: ["/a.json"], warnings: ["careful"] }),
  });
  const { status, body } = await server.ask("POST", "/workspaces", { path: server.directory });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    path: server.directory,
    data_dir: join(server.directory, ".crush"),
    config_sources: ["/a.json"],
    warnings: ["careful"],
  });
  expect((await server.ask("GET", `/workspaces/${body.id}`)).body).toEqual(body);
  expect((await server.ask("GET", "/workspaces")).body).toEqual([body]);
});

test.each([
  ["no JSON", "{", "failed to decode request"],
  ["a missing path", {}, "bad request: path: "],
  ["a relative path", { path: "here" }, "path is not absolute: send the absolute directory"],
  ["a path that no file can have", { path: "/a\0b" }, "bad request: path: "],
  ["such a data directory", { path: "/a", data_dir: "/a\0b" }, "bad request: data_dir: "],
  ["a body that is no object", [], /^bad request: \w/],
])("a workspace with %s is a 400 that says what is wrong", async (_what, sent, message) => {
  await using server = fakeServer();
  const { status, body } = await server.ask("POST", "/workspaces", sent);
  expect(status).toBe(400);
  expect(body.message).toMatch(message);
  expect(body.code).toBe("usage");
});

test("a configuration that cannot be read is a 400 with its code and remedy", async () => {
  const wrong = failure("invalid_config", "crush.json:1:1: not JSON", { remedy: "mend it" });
  await using server = fakeServer({
    config: () => {
      throw new RunFailed(wrong);
    },
  });
  expect(await server.ask("POST", "/workspaces", { path: "/x" })).toMatchObject({
    status: 400,
    body: { message: wrong.message, code: "invalid_config", remedy: "mend it" },
  });
});

test("a data directory that cannot be used is a 500 with the code storage", async () => {
  await using server = fakeServer({
    config: (directory) => {
      writeFileSync(join(directory, "file"), "");
      return emptyConfig(directory, { dataDirectory: join(directory, "file", "data") });
    },
  });
  expect(await server.ask("POST", "/workspaces", { path: server.directory })).toMatchObject({
    status: 500,
    body: { code: "storage" },
  });
});

test("a bug is a 500 with a message, even when it has none itself", async () => {
  await using server = fakeServer({
    config: () => {
      throw new Error("");
    },
  });
  const { status, body } = await server.ask("POST", "/workspaces", { path: "/x" });
  expect(status).toBe(500);
  expect(body).toMatchObject({ code: "internal", message: "unknown error" });
});

test("one directory is one workspace, for as long as a client holds it", async () => {
  await using server = fakeServer();
  const first = await server.workspace();
  const { body } = await server.ask("POST", "/workspaces", {
    path: server.directory,
    client_id: "you",
  });
  expect(`/workspaces/${body.id}`).toBe(first);
  await server.ask("DELETE", "/clients/me");
  expect((await server.ask("GET", first)).status).toBe(200);
  expect(await server.ask("DELETE", "/clients/you")).toMatchObject({ status: 200, body: null });
  expect((await server.ask("GET", first)).status).toBe(404);
  expect(await server.workspace("another")).not.toBe(first);
});

test("a workspace that is deleted is gone when its last client has let go, and that is never an error", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  expect((await server.ask("DELETE", "/workspaces/none?client_id=me")).status).toBe(200);
  expect(await server.ask("DELETE", workspace)).toMatchObject({
    status: 400,
    body: { message: "client_id is required" },
  });
  expect((await server.ask("DELETE", `${workspace}?client_id=me`)).status).toBe(200);
  expect((await server.ask("GET", workspace)).status).toBe(404);
});

test("no secret leaves in a workspace: no key, no header, no credential in an address", async () => {
  const secret = "sk-very-secret-0123456789";
  const provider = {
    id: "p",
    name: "P",
    type: "openai-compat" as const,
    baseUrl: `https://user:${secret}@host.example/v1/${secret}`,
    apiKey: secret,
    extraHeaders: { "x-key": secret },
    extraBody: { token: secret },
    providerOptions: { token: secret },
    systemPromptPrefix: secret,
    models: [],
  };
  await using server = fakeServer({
    config: (directory) =>
      emptyConfig(directory, {
        providers: new Map([["p", provider]]),
        secrets: [secret],
        env: { TOKEN: secret },
        warnings: [`the key ${secret} is odd`],
      }),
  });
  const { body } = await server.ask("POST", "/workspaces", { path: server.directory });
  expect(JSON.stringify(body)).not.toContain(secret);
  expect(body.config.providers.p).toMatchObject({ id: "p", type: "openai-compat" });
  expect(body.config.providers.p.base_url).toContain("host.example/v1");
});

test("sessions are created, listed with the last changed first, and shown", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  const one = await server.session(workspace);
  const two = await server.session(workspace);
  const { body } = await server.ask("GET", `${workspace}/sessions`);
  expect(body.map(({ id }: { id: string }) => id)).toEqual([two, one]);
  expect((await server.ask("GET", `${workspace}/sessions/${one}`)).body).toMatchObject({
    id: one,
    title: "t",
    is_busy: false,
    message_count: 0,
  });
});

test("an unknown session is a 404 with its code; it has no messages", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  expect(await server.ask("GET", `${workspace}/sessions/none`)).toMatchObject({
    status: 404,
    body: { code: "unknown_session" },
  });
  expect(await server.ask("GET", `${workspace}/sessions/none/messages`)).toMatchObject({
    status: 200,
    body: [],
  });
});

test("a session without a title in its body is a 400", async () => {
  await using server = fakeServer();
  const workspace = await server.workspace();
  expect((await server.ask("POST", `${workspace}/sessions`, {})).status).toBe(400);
});

test("a request that is aborted while it is answered rejects with the signal's reason", async () => {
  await using server = fakeServer({ config: async () => await new Promise<never>(() => {}) });
  const abort = new AbortController();
  const body = JSON.stringify({ path: "/x" });
  const asked = server.raw("POST", "/workspaces", { body, signal: abort.signal });
  const why = new Error("enough");
  abort.abort(why);
  await expect(asked).rejects.toBe(why);
});
