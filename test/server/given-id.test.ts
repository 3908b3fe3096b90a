import { expect, test } from "vitest";
import { askedWorkspace } from "../support/ask-server.ts";
import { fakeServer } from "../support/fake-server.ts";

test.each([
  ["a NUL", "one\0two"],
  ["half a character", "one\ud800"],
  ["a line end", "one\n"],
  ["more than 128 characters", "x".repeat(129)],
])("W-17: a run id with %s, by which no run could be asked for, is a 400", async (_what, runId) => {
  await using server = fakeServer();
  const workspace = await askedWorkspace(server);
  const { status, body } = await workspace.prompt(runId, { prompt: "x" });
  expect([status, body.code]).toEqual([400, "usage"]);
  expect(body.message).toContain("bad request: run_id: ");
  expect((await server.ask("GET", `${workspace.path}/runs`)).body).toEqual([]);
});
