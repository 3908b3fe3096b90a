import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace, FAMILIES, type CrushOptions } from "../support/crush.ts";
import { failed, seen, succeeded, titled } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { living } from "../support/living.ts";

const DONE: FakeStep = { text: "Done." };
const fixes: FakeStep = {
  text: "I see.",
  toolCalls: [{ id: "w1", name: "write", input: { file_path: "fixed", content: "x" } }],
};
const CHECK = "echo once >>log; test -f fixed || { echo 'nothing is fixed'; exit 4; }";

test("a check that passes changes nothing of the answer, and -v tells of it", async () => {
  await using provider = await startFakeProvider(DONE);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "-v", "--check", "pwd >&2; pwd", "hi"]);
  expect(ended.status).toBe(0);
  expect(ended.stdout.toString()).toBe("Done.\n");
  expect(ended.stderr.toString()).toMatch(/^check 1: pwd >&2; pwd\ncheck passed after \d+\.\d s$/m);
  expect(provider.requests.length).toBe(1);
});

test.concurrent.each(FAMILIES)(
  "%s: what a check complains about is put right by the agent",
  async (family) => {
    await using provider = await startFakeProvider([DONE, fixes, { text: "Fixed." }]);
    await using place = crushPlace({ provider: { url: provider.url, family } });
    const ended = await place.run(["run", "--check", CHECK, "hi"]);
    expect(seen(ended)).toEqual(succeeded("Fixed.\n"));
    expect(readFileSync(join(place.work, "log"), "utf8")).toBe("once\nonce\n");
    const [first, second] = provider.requests.map(({ body }) => JSON.stringify(body));
    expect(first).not.toContain("nothing is fixed");
    expect(second).toContain("(exit code 4)");
    expect(second).toContain("nothing is fixed");
  },
);

test("a check that is never content fails the run, and the answer is there", async () => {
  await using provider = await startFakeProvider(DONE);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "--check", CHECK, "hi"]);
  const says = "the check failed (exit code 4): nothing is fixed";
  expect(seen(ended)).toEqual(failed("check_failed", { says, stdout: "Done.\n" }));
  expect(provider.requests.length).toBe(3);
});

test.each(
  titled<{ readonly args: readonly string[]; readonly env?: CrushOptions["env"] }>({
    "--check-retries 0": { args: ["--check", "false", "--check-retries", "0"] },
    "the environment": {
      args: [],
      env: { CRUSH_RUN_CHECK: "false", CRUSH_RUN_CHECK_RETRIES: "0" },
    },
  }),
)("with %s the agent is not asked again", async (_, { args, env = {} }) => {
  await using provider = await startFakeProvider(DONE);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", ...args, "hi"], { env });
  const says = "the check failed (exit code 1)";
  expect(seen(ended)).toEqual(failed("check_failed", { says, stdout: "Done.\n" }));
  expect(provider.requests.length).toBe(1);
});

test("the check stands in the lines of a stream, and its verdict in the result", async () => {
  await using provider = await startFakeProvider([DONE, fixes, { text: "Fixed." }]);
  await using place = crushPlace({ provider });
  const args = ["run", "--check", CHECK, "--output", "stream-json", "hi"];
  const ended = await place.run(args);
  const lines = ended.stdout
    .toString()
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  const about = { schema_version: 1, run_id: expect.any(String) as unknown };
  expect(lines.filter(({ type }) => String(type).startsWith("check."))).toMatchObject([
    { ...about, type: "check.started", command: CHECK, n: 1 },
    { type: "check.completed", exit_code: 4, output: "nothing is fixed", truncated: false },
    { type: "check.started", command: CHECK, n: 2 },
    { type: "check.completed", exit_code: 0, output: "", ms: expect.any(Number) as unknown },
  ]);
  expect(lines.at(-1)).toMatchObject({ type: "run.result", text: "Fixed.", turns: 3 });
});

test("a check after a structured answer: its stdout is JSON, whatever the verdict", async () => {
  const answer: FakeStep = {
    toolCalls: [{ id: "a", name: "final_answer", input: { n: 1 } }],
  };
  await using provider = await startFakeProvider(answer);
  await using place = crushPlace({ provider });
  const schema = { type: "object", properties: { n: { type: "integer" } } };
  place.write("answer.json", JSON.stringify(schema));
  const args = ["run", "--schema", "answer.json", "--check-retries", "1", "hi"];
  const passed = await place.run([...args, "--check", "true"]);
  expect(seen(passed)).toEqual(succeeded('{"n":1}\n'));
  const ended = await place.run([...args, "--check", "false"]);
  expect(seen(ended)).toEqual(failed("check_failed", { stdout: '{"n":1}\n' }));
});

test("a deadline during the check is the end of the run, and leaves no process", async () => {
  await using provider = await startFakeProvider(DONE);
  await using place = crushPlace({ provider });
  const check = "touch begun; sleep 61.0031 & sleep 61.0031";
  const ended = await place.run(["run", "--check", check, "--timeout", "2s", "hi"]);
  expect(seen(ended)).toEqual(failed("timeout", { stdout: "Done.\n", says: "time limit" }));
  expect(existsSync(join(place.work, "begun"))).toBe(true);
  expect(living("61.0031")).toEqual([]);
});

test("a signal during the check ends it with the run", async () => {
  await using provider = await startFakeProvider(DONE);
  await using place = crushPlace({ provider });
  const running = place.spawn(["run", "-v", "--check", "sleep 61.0032", "hi"]);
  await running.waitForStderr("check 1:");
  await expect.poll(() => living("61.0032").length, { timeout: 5_000 }).toBeGreaterThan(1);
  process.kill(running.pid, "SIGTERM");
  expect(await running.ended).toMatchObject({ status: null, signal: "SIGTERM" });
  expect(living("61.0032")).toEqual([]);
});

test.concurrent.each(
  titled<{ readonly args: readonly string[]; readonly says: string }>({
    "--check with nothing": { args: ["--check", " "], says: "--check is empty" },
    "--check-retries with a word": {
      args: ["--check", "true", "--check-retries", "often"],
      says: '--check-retries is "often", which is no whole number',
    },
    "--check-retries without --check": {
      args: ["--check-retries", "1"],
      says: "--check-retries says nothing without --check",
    },
  }),
)("%s is refused before anything is sent", async (_, { args, says }) => {
  await using provider = await startFakeProvider(DONE);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", ...args, "hi"]);
  expect(seen(ended)).toEqual(failed("usage", { says }));
  expect(provider.requests.length).toBe(0);
});
