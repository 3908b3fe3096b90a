import { chmodSync, chownSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import { conversation } from "../support/chat-request.ts";
import { crushPlace } from "../support/crush.ts";
import { errorLines, runIdOf, shown } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { asStranger, openToAll, publicInstall, STRANGER } from "../support/other-user.ts";

const HANGS: FakeStep = { text: "one two three", chunks: 3, silenceAfter: 1 };

test("twenty runs at once in one fresh directory all succeed", async () => {
  await using provider = await startFakeProvider((request) => ({
    text: `answer to ${conversation(request).at(-1)}`,
    chunks: 10,
    delayMs: 5,
  }));
  await using place = crushPlace({ provider });
  const ended = await Promise.all(
    Array.from(
      { length: 20 },
      async (_, n) => await place.run(["run", `question ${n}`], { withinMs: 40_000 }),
    ),
  );
  const seen = ended.map(({ status, stdout, stderr }) => [
    status,
    `${stdout.toString()}${stderr.toString()}`,
  ]);
  expect(seen).toEqual(seen.map((_, n) => [0, `answer to user: question ${n}\n`]));
  expect(readdirSync(join(place.work, ".crush/owners"))).toEqual([]);
});

test("a killed run is told as interrupted, and its session goes on from what it had said", async () => {
  await using provider = await startFakeProvider((request) =>
    request.index === 0 ? HANGS : { text: "and on" },
  );
  await using place = crushPlace({ provider });
  const killed = place.spawn(["run", "-v", "--stream", "count to three"]);
  await killed.waitForStdout("one t");
  const runId = runIdOf(killed.stderr());
  killed.child.kill("SIGKILL");
  expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });

  const next = await place.run(["run", "--continue", "go on"]);
  expect([next.status, next.stdout.toString(), next.stderr.toString()]).toEqual([
    0,
    "and on\n",
    "",
  ]);
  expect(conversation(provider.requests[1])).toEqual([
    "user: count to three",
    "assistant: one t",
    "user: go on",
  ]);
  expect(await shown(place, runId)).toMatchObject({
    state: "settled",
    status: "failed",
    reason: "interrupted",
    exit: "1 (may be tried again)",
  });
});

test("the session of a killed run can be named, before anybody looked at the run", async () => {
  await using provider = await startFakeProvider((request) =>
    request.index === 0 ? HANGS : { text: "and on" },
  );
  await using place = crushPlace({ provider });
  const killed = place.spawn(["run", "-v", "--stream", "count to three"]);
  await killed.waitForStdout("one t");
  const session = /in session (\S+) /.exec(killed.stderr().toString())?.[1] ?? "";
  killed.child.kill("SIGKILL");
  await killed.ended;
  const next = await place.run(["run", "--session", session, "go on"]);
  expect([next.status, next.stdout.toString(), next.stderr.toString()]).toEqual([
    0,
    "and on\n",
    "",
  ]);
  expect(conversation(provider.requests[1])[1]).toBe("assistant: one t");
});

test("of two runs on one session the second waits its turn, and both complete in order", async () => {
  const release = deferred();
  await using provider = await startFakeProvider((request) =>
    request.index === 0
      ? { text: "first", chunks: 2, pause: { after: 1, until: release.promise } }
      : { text: "second" },
  );
  await using place = crushPlace({ provider });
  const first = place.spawn(["run", "-v", "--stream", "one"]);
  await first.waitForStdout("fir");
  const second = place.spawn(["run", "-v", "--continue", "two"]);
  await second.waitForStderr("queued: 1 ahead");
  expect(provider.requests).toHaveLength(1);
  release.resolve();
  const ended = [await first.ended, await second.ended];
  expect(ended.map(({ status, stdout }) => [status, stdout.toString()])).toEqual([
    [0, "first\n"],
    [0, "second\n"],
  ]);
  expect(conversation(provider.requests[1])).toEqual([
    "user: one",
    "assistant: first",
    "user: two",
  ]);
});

test("a run that waits for its turn is ended by a signal without having run", async () => {
  await using provider = await startFakeProvider(HANGS);
  await using place = crushPlace({ provider });
  const first = place.spawn(["run", "-v", "--stream", "one"]);
  await first.waitForStdout("one t");
  const second = place.spawn(["run", "-v", "--continue", "two"]);
  await second.waitForStderr("queued: 1 ahead");
  second.child.kill("SIGTERM");
  const ended = await second.ended;
  expect([ended.signal, errorLines(ended).length]).toEqual(["SIGTERM", 1]);
  first.child.kill("SIGTERM");
  expect((await first.ended).signal).toBe("SIGTERM");
  expect(provider.requests).toHaveLength(1);
});

test("a run whose predecessor is killed takes its turn", async () => {
  await using provider = await startFakeProvider((request) =>
    request.index === 0 ? HANGS : { text: "my turn" },
  );
  await using place = crushPlace({ provider });
  const first = place.spawn(["run", "--stream", "one"]);
  await first.waitForStdout("one t");
  const second = place.spawn(["run", "-v", "--continue", "two"]);
  await second.waitForStderr("queued: 1 ahead");
  first.child.kill("SIGKILL");
  const ended = await second.ended;
  expect([ended.status, ended.stdout.toString()]).toEqual([0, "my turn\n"]);
});

test.each([
  ["by the prompt", "z".repeat(300_000), "never said", 0],
  ["in the middle of the answer", "hi", "z".repeat(300_000), 1],
])("a store that is full %s is exit 8 with a remedy", async (_, prompt, text, requests) => {
  await using provider = await startFakeProvider({ text, chunks: 50, delayMs: 5 });
  await using place = crushPlace({ provider });
  const env = { CRUSH_RUN_STORE_LIMIT: "200k" };
  const ended = await place.run(["run"], { env, stdin: { text: prompt } });
  expect([ended.status, provider.requests.length, errorLines(ended)]).toEqual([
    8,
    requests,
    [
      expect.stringMatching(
        /database or disk is full \(storage\); free some space.*--data-dir/,
      ) as string,
    ],
  ]);
  // With room again everything goes on.
  const next = await place.run(["run", "hi"]);
  expect(next.status).toBe(0);
});

test.each([
  ["a file", ".data", (path: string) => writeFileSync(path, "")],
  ["below a file", ".data/deep", (path: string) => writeFileSync(join(path, ".."), "")],
])("a data directory that is %s is exit 8 with a remedy", async (_, name, spoil) => {
  await using provider = await startFakeProvider({ text: "never asked" });
  await using place = crushPlace({ provider });
  spoil(join(place.work, name));
  const ended = await place.run(["run", "--data-dir", name, "hi"]);
  expect([ended.status, ended.stdout.toString(), provider.requests.length]).toEqual([8, "", 0]);
  expect(errorLines(ended)).toEqual([
    expect.stringMatching(/data directory .*\(storage\); .*--data-dir/) as string,
  ]);
});

const isRoot = process.getuid?.() === 0;

test("a working directory that another user owns is exit 8 with a remedy", async () => {
  await using provider = await startFakeProvider({ text: "never asked" });
  await using place = crushPlace({ provider });
  using installed = publicInstall();
  openToAll(dirname(place.home));
  if (!isRoot) chmodSync(place.work, 0o555);
  const command = [process.execPath, installed.crush, "run", "hi"];
  const ended = asStranger(command, { cwd: place.work, env: place.env });
  chmodSync(place.work, 0o755);
  expect([ended.status, ended.stdout, provider.requests.length]).toEqual([8, "", 0]);
  expect(errorLines(ended)).toEqual([
    expect.stringMatching(/EACCES \(storage\); make it writable.*--data-dir/) as string,
  ]);
});

test("a user without a name and without a home can run it", async () => {
  await using place = crushPlace();
  using installed = publicInstall();
  openToAll(dirname(place.home));
  place.write("note.txt", "a note\n");
  if (isRoot) chownSync(place.work, STRANGER, STRANGER);
  const command = [process.execPath, installed.crush, "run", "-m", "demo/offline", "What is here?"];
  const env = { PATH: place.env["PATH"] ?? "" };
  const ended = asStranger(command, { cwd: place.work, env });
  expect([ended.status, ended.stderr.toString()]).toEqual([0, ""]);
  expect(ended.stdout).toContain("note.txt");
});

test("a configuration file that this user may not read is named, and nothing is sent", async () => {
  await using provider = await startFakeProvider({ text: "never" });
  await using place = crushPlace({ provider });
  using installed = publicInstall();
  openToAll(dirname(place.home));
  chmodSync(place.configFile, 0o000);
  const command = [process.execPath, installed.crush, "run", "hi"];
  const ended = asStranger(command, { cwd: place.work, env: place.env });
  expect([ended.status, ended.stdout, provider.requests.length]).toEqual([2, "", 0]);
  expect(ended.stderr.toString()).toBe(
    `error: cannot read ${place.configFile} (EACCES) (invalid_config); make it readable for this user or take it away\n`,
  );
});

test("a run whose tool removes the data directory still answers, and says that its record is lost", async () => {
  await using provider = await startFakeProvider([
    { toolCalls: [{ id: "a", name: "bash", input: { command: "rm -rf .crush" } }] },
    { text: "all clean" },
  ]);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "tidy up"]);
  expect([ended.status, ended.stdout.toString(), ended.stderr.toString()]).toEqual([
    0,
    "all clean\n",
    "warning: the data directory was removed while the run went on: its record is lost\n",
  ]);
});
