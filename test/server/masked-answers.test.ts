import { expect, test } from "vitest";
import { askedWorkspace } from "../support/ask-server.ts";
import { callsTools, says, type ModelStep } from "../support/fake-model.ts";
import { emptyConfig, fakeServer } from "../support/fake-server.ts";

const SECRET = "sk-0123456789abcdef";
const config = (directory: string) => emptyConfig(directory, { secrets: [SECRET] });

test("the messages of a session are shown without secrets, like their events", async () => {
  const call = callsTools({ name: "ls", input: { path: SECRET } });
  await using server = fakeServer({ models: { m: [call, says(`it is ${SECRET}`)] }, config });
  const { path, session, prompt } = await askedWorkspace(server);
  await prompt("r", { prompt: "x", options: { model: "m" } });
  await server.settled(path, "r");
  const { body } = await server.ask("GET", `${path}/sessions/${session}/messages`);
  const [, called, result, answer] = body;
  expect(called.parts).toContainEqual(
    expect.objectContaining({ data: expect.objectContaining({ input: '{"path":"***"}' }) }),
  );
  expect(JSON.stringify([called, result])).not.toContain(SECRET);
  expect(answer.parts[0].data.text).toBe("it is ***");
});

test("a summary that fails is answered without the secret in its error", async () => {
  let asked = 0;
  const broken: ModelStep = async function* failed() {
    yield { type: "text", text: "so far" };
    throw new Error(`cannot use ${SECRET} here`);
  };
  await using server = fakeServer({
    stepOf: () => ((asked += 1) === 1 ? says("ok") : broken),
    config,
  });
  const { path, session, prompt } = await askedWorkspace(server);
  await prompt("r", { prompt: "x" });
  await server.settled(path, "r");
  const { status, body } = await server.ask("POST", `${path}/agent/sessions/${session}/summarize`);
  expect(status).toBe(500);
  expect(body.message).toContain("cannot use *** here");
});
