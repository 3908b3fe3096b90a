import { expect, test } from "vitest";
import { fakeServer } from "../support/fake-server.ts";

test.each([
  [7, "options.schema: must be a JSON object"],
  [{ type: "strin" }, "options.schema: /type must be equal to one of the allowed values"],
  [{ $ref: "https://example.com/s" }, "options.schema: /$ref"],
])("a prompt with the schema %j is refused, and nothing of it is kept", async (schema, says) => {
  await using server = fakeServer();
  const path = await server.workspace();
  const session_id = await server.session(path);
  const prompt = { prompt: "x", session_id, run_id: "r", options: { schema } };
  const answered = await server.ask("POST", `${path}/agent`, prompt);
  expect(answered.status).toBe(400);
  expect(answered.body).toMatchObject({ code: "usage" });
  expect(answered.body.message).toContain(says);
  expect((await server.ask("GET", `${path}/runs/r`)).status).toBe(404);
});
