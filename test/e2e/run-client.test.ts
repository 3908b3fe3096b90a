import { expect, test } from "vitest";
import { crushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";

test("CLI-33, CLI-25: a run in this process that returns ends with 0, all of its output and a newline", async () => {
  const text = "an answer of some length ".repeat(20_000).trim();
  await using provider = await startFakeProvider({ text, chunks: 50 });
  await using place = crushPlace({ provider });
  const { status, stdout, stderr } = await place.run(["run", "hi"]);
  expect(status).toBe(0);
  expect(stdout.toString() === `${text}\n`).toBe(true);
  expect(stderr.toString()).toBe("");
});

test("CLI-33, CLI-28, CLI-25: one that fails prints what it had, closes the line and names the error", async () => {
  await using provider = await startFakeProvider({ text: "one two three", chunks: 3, cutAfter: 1 });
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "--retries", "0", "hi"]);
  expect(ended.status).toBe(5);
  expect(ended.stdout.toString()).toMatch(/^one t?.*\n$/);
  expect(errorLines(ended).length).toBe(1);
});

test("CLI-33, CLI-24: one that is cancelled prints what it had, closes the line and is no success", async () => {
  await using provider = await startFakeProvider({
    text: "one two three",
    chunks: 3,
    silenceAfter: 1,
  });
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "--stream", "hi"]);
  await run.waitForStdout("one");
  run.child.kill("SIGINT");
  const ended = await run.ended;
  expect([ended.status, ended.signal]).toEqual([null, "SIGINT"]);
  expect(ended.stdout.toString()).toMatch(/^one t?\n$/);
  expect(errorLines(ended).length).toBe(1);
});
