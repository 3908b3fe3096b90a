import { join } from "node:path";
import { expect, test } from "vitest";
import { configurationOf, crushPlace, type CrushPlace } from "../support/crush.ts";
import { failed, seen, STATUS, succeeded } from "../support/ending-case.ts";
import { startFakeProvider, type FakeProvider } from "../support/fake-provider.ts";

/** The user's own, the project's and that of the data directory each disable a tool; AGENTS.md tells something. */
function everywhere(place: CrushPlace): void {
  place.write("crush.json", JSON.stringify({ options: { disabled_tools: ["ls"] } }));
  place.write(".crush/crush.json", JSON.stringify({ options: { disabled_tools: ["glob"] } }));
  place.write("AGENTS.md", "Answer in Latin.");
}
const toolsOf = (provider: FakeProvider, at = 0): string[] => {
  const body = provider.requests[at]?.body as { tools: { function: { name: string } }[] };
  return body.tools.map(({ function: { name } }) => name);
};

test("an isolated run sees no configuration but the one that is named, and says so", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  everywhere(place);
  const named = place.write("ci.json", JSON.stringify(configurationOf(provider)));
  const args = ["run", "--output", "json", "hi"];
  const usual = await place.run(args);
  const alone = await place.run([...args, "--isolated", "--config", "ci.json"]);
  const sources = [usual, alone].map(
    ({ stdout }) => (JSON.parse(stdout.toString()) as { config_sources: string[] }).config_sources,
  );
  expect(sources).toEqual([
    [place.configFile, join(place.work, "crush.json"), join(place.work, ".crush/crush.json")],
    [named],
  ]);
  expect(toolsOf(provider, 0)).not.toContain("ls");
  expect(toolsOf(provider, 1)).toEqual(expect.arrayContaining(["ls", "glob"]));
  const bodies = provider.requests.map(({ body }) => JSON.stringify(body));
  expect(bodies.map((body) => body.includes("Answer in Latin."))).toEqual([true, false]);
});

test("an isolated run takes its key from the environment, and is recorded as always", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ configuration: "{ broken" });
  const env = { OPENAI_API_KEY: "sk-of-the-environment", OPENAI_BASE_URL: `${provider.url}/v1` };
  expect((await place.run(["run", "hi"], { env })).status).toBe(STATUS.invalid_config);
  const twin = { ...env, CRUSH_RUN_ISOLATED: "true" };
  expect((await place.run(["run", "hi"], { env: twin })).status).toBe(0);
  expect(provider.requests[0]?.headers.authorization).toBe("Bearer sk-of-the-environment");
  const listed = await place.run(["runs", "--isolated"]);
  expect(listed.stdout.toString().trim().split("\n")).toHaveLength(1);
});

test("without anything named there is nothing to run with", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const env = { OLLAMA_HOST: "127.0.0.1:1" };
  const ended = await place.run(["run", "--isolated", "hi"], { env });
  expect(seen(ended)).toEqual(failed("auth_missing"));
  expect(provider.requests).toEqual([]);
});

test("a configuration that is named is laid over the others", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  place.write("ci.json", JSON.stringify({ options: { disabled_tools: ["bash"] } }));
  const env = { CRUSH_RUN_CONFIG: "ci.json" };
  expect(seen(await place.run(["run", "hi"], { env }))).toEqual(succeeded("ok\n"));
  expect(toolsOf(provider)).not.toContain("bash");
});

test.each([
  ["is not there", "gone.json", "usage", "--config names"],
  ["has no name", "", "usage", "--config is empty"],
  ["is no JSON", "bad.json", "invalid_config", "bad.json:1:"],
  ["is a directory", ".", "invalid_config", "is not a file"],
] as const)("a configuration that %s is refused", async (_, file, reason, says) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  place.write("bad.json", "{]");
  const ended = await place.run(["run", "--config", file, "hi"]);
  expect(seen(ended)).toEqual(failed(reason, { says }));
  expect(provider.requests).toEqual([]);
});

test("crush doctor and crush config look where an isolated run does", async () => {
  await using place = crushPlace({ configuration: "{ broken" });
  const env = { OPENAI_API_KEY: "sk-of-the-environment" };
  for (const command of [["doctor"], ["config", "check"]]) {
    expect((await place.run(command, { env })).status).toBe(STATUS.invalid_config);
    expect((await place.run([...command, "--isolated"], { env })).status).toBe(0);
  }
});
