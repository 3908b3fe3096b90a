import { expect, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import { crushPlace } from "../support/crush.ts";
import { errorLines, runIdOf } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";

const HANGS: FakeStep = { text: "one two three", chunks: 3, silenceAfter: 1 };
const NOBODY = "00000000-0000-4000-8000-000000000000";

test("a run of another process is listed, waited for in vain, cancelled, and ends as cancelled", async () => {
  await using provider = await startFakeProvider(HANGS);
  await using place = crushPlace({ provider });
  const running = place.spawn(["run", "-v", "--stream", "count to three"]);
  await running.waitForStdout("one t");
  const runId = runIdOf(running.stderr());

  const listed = await place.run(["runs"]);
  expect(listed.stdout.toString()).toMatch(
    new RegExp(`^${runId}  \\S+Z  active +count to three\\n$`),
  );
  const waited = await place.run(["wait", "--timeout", "300ms", runId]);
  expect([waited.status, waited.stdout.toString()]).toEqual([124, ""]);
  expect(errorLines(waited)).toEqual([
    `error: the run ${runId} has not ended yet; it goes on (timeout); wait longer, or end it with: crush cancel ${runId}`,
  ]);

  const cancelled = await place.run(["cancel", runId]);
  expect([cancelled.status, cancelled.stdout.toString()]).toEqual([
    0,
    `${runId} cancelled (by_client)\n`,
  ]);
  const ended = await running.ended;
  expect([ended.status, ended.stdout.toString()]).toEqual([3, "one t\n"]);
  // It has ended: to cancel it once more changes nothing.
  const again = await place.run(["cancel", runId]);
  expect(again.stdout.toString()).toBe(`${runId} cancelled (by_client)\n`);
});

test("who waits for or attaches to a run gets its exit status, and attached its answer too", async () => {
  const released = deferred();
  await using provider = await startFakeProvider((request) =>
    request.index === 0
      ? { text: "one two three", chunks: 3, pause: { after: 1, until: released.promise } }
      : { status: 400, body: '{"error":{"message":"no"}}' },
  );
  await using place = crushPlace({ provider });
  const running = place.spawn(["run", "-v", "--stream", "count"]);
  await running.waitForStdout("one t");
  const runId = runIdOf(running.stderr());
  const waiting = place.run(["wait", runId]);
  const attached = place.run(["attach", runId]);
  released.resolve();
  const [first, second] = await Promise.all([waiting, attached]);
  expect([first.status, first.stdout.toString(), first.stderr.toString()]).toEqual([0, "", ""]);
  expect([second.status, second.stdout.toString(), second.stderr.toString()]).toEqual([
    0,
    "one two three\n",
    "",
  ]);
  expect((await running.ended).status).toBe(0);

  const failed = await place.run(["run", "-v", "again"]);
  const told = await place.run(["wait", runIdOf(failed.stderr)]);
  expect([told.status, errorLines(told)]).toEqual([failed.status, errorLines(failed)]);
  expect(failed.status).toBe(1);
});

test.each(["show", "wait", "attach", "cancel"])(
  "crush %s of a run that nobody knows is a usage error",
  async (command) => {
    await using place = crushPlace({});
    const ended = await place.run([command, NOBODY]);
    expect([ended.status, ended.stdout.toString()]).toEqual([2, ""]);
    expect(errorLines(ended)).toHaveLength(1);
    expect(ended.stderr.toString()).toContain(`there is no run ${NOBODY} (unknown_run)`);
  },
);
