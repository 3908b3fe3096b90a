import { chmodSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { asStranger, openToAll, publicInstall } from "../support/other-user.ts";
import { aged, asked, listed, said, started, type Entry } from "../support/session-cli.ts";

const HANGS: FakeStep = { text: "one two three", chunks: 3, silenceAfter: 1 };

test("a session that another process works in is neither deleted nor pruned, and both work afterwards", async () => {
  await using provider = await startFakeProvider(HANGS);
  await using place = crushPlace({ provider });
  const running = place.spawn(["run", "--stream", "count"]);
  await running.waitForStdout("one t");
  const [entry] = await listed(place);
  const name = entry?.id ?? "";
  const refused = await place.run(["session", "delete", name]);
  expect(said(refused)).toEqual([5, ""]);
  expect(errorLines(refused)).toEqual([
    `error: session ${entry?.uuid} is busy (session_busy); wait until its runs have ended, or cancel them (crush runs lists them)`,
  ]);
  const pruned = await place.run(["session", "prune", "--keep", "0", "--json"]);
  expect(pruned.status).toBe(5);
  expect(JSON.parse(pruned.stdout.toString())).toEqual({
    deleted: [],
    busy: [entry],
    kept: 1,
    dry_run: false,
  });
  expect(errorLines(pruned)).toEqual([
    `error: a session is busy: ${name.slice(0, 7)} (session_busy); prune again when their runs have ended`,
  ]);
  process.kill(running.pid, "SIGKILL");
  await running.ended;
  expect((await place.run(["session", "delete", name])).status).toBe(0);
});

test("prune deletes what is old enough and not among those to keep, and a dry run nothing", async () => {
  await using provider = await startFakeProvider({ text: "yes" });
  await using place = crushPlace({ provider });
  for (const [title, days] of [
    ["ancient", 90],
    ["old", 40],
    ["new", 0],
  ] as const)
    aged(place, (await started(place, title)).uuid, days);
  const titles = async (): Promise<readonly string[]> =>
    (await listed(place)).map(({ title }) => title);
  const dry = await place.run([
    "session",
    "prune",
    "--older-than",
    "30d",
    "--keep",
    "2",
    "--dry-run",
  ]);
  expect(said(dry)).toEqual([
    0,
    expect.stringMatching(/^[0-9a-f]{7}  \S+ \S+  ancient\n1 would be deleted, 2 kept\n$/),
  ]);
  expect(await titles()).toEqual(["new", "old", "ancient"]);
  expect(await asked(place, "session", "prune", "--older-than", "12w")).toMatchObject({
    deleted: [{ title: "ancient" }],
    busy: [],
    kept: 2,
    dry_run: false,
  });
  expect(said(await place.run(["s", "prune", "--keep", "1"]))).toEqual([
    0,
    expect.stringMatching(/old\n1 deleted, 1 kept\n$/),
  ]);
  expect(await titles()).toEqual(["new"]);
});

test("processes that delete at the same time take each session away once", async () => {
  await using provider = await startFakeProvider({ text: "yes" });
  await using place = crushPlace({ provider });
  await Promise.all(["a", "b", "c", "d"].map(async (prompt) => await place.run(["run", prompt])));
  const all = await listed(place);
  expect(all).toHaveLength(4);
  const prunes = await Promise.all(
    [1, 2, 3].map(async () => await place.run(["session", "prune", "--keep", "0", "--json"])),
  );
  const gone = prunes.flatMap(
    ({ stdout }) => (JSON.parse(stdout.toString()) as { deleted: readonly Entry[] }).deleted,
  );
  expect(gone.map(({ uuid }) => uuid).toSorted()).toEqual(all.map(({ uuid }) => uuid).toSorted());
  expect(await listed(place)).toEqual([]);
});

test("another user may look where he may read, and is told what he may not", async () => {
  await using provider = await startFakeProvider({ text: "yes" });
  await using place = crushPlace({ provider });
  using installed = publicInstall();
  await started(place, "Mine");
  const data = join(place.work, ".crush");
  openToAll(dirname(place.home));
  if (process.getuid?.() !== 0) chmodSync(data, 0o555);
  const crush = (...args: readonly string[]) =>
    asStranger([process.execPath, installed.crush, "session", ...args], {
      cwd: place.work,
      env: { ...place.env },
    });
  const names = readdirSync(data);
  expect(crush("list")).toMatchObject({ status: 0, stdout: expect.stringMatching(/Mine\n$/) });
  const refused = crush("prune", "--keep", "0");
  expect(refused).toMatchObject({ status: 8, stdout: "" });
  expect(refused.stderr.toString()).toMatch(
    /^error: .*\(storage\); make the data directory writable.*\n$/,
  );
  expect(readdirSync(data)).toEqual(names);
  chmodSync(data, process.getuid?.() === 0 ? 0o700 : 0o000);
  const hidden = crush("list");
  chmodSync(data, 0o700);
  expect([hidden.status, hidden.stdout]).toEqual([8, ""]);
  expect(hidden.stderr.toString()).toMatch(/^error: .*EACCES \(storage\); .*--data-dir\n$/);
});
