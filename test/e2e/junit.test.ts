import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace } from "../support/crush.ts";
import { startFakeProvider } from "../support/fake-provider.ts";

const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n';

test("--junit writes a report of a run that completed, named for the words of the command", async () => {
  await using provider = await startFakeProvider({ text: "All <good>." });
  await using place = crushPlace({ provider });
  place.write("review.xml", "an old report");
  const stdin = { text: "a diff" };
  const ended = await place.run(["run", "--junit", "review.xml", "Judge", "this"], { stdin });
  expect([ended.status, ended.stdout.toString(), ended.stderr.toString()]).toEqual([
    0,
    "All <good>.\n",
    "",
  ]);
  const xml = readFileSync(join(place.work, "review.xml"), "utf8");
  expect(xml.startsWith(XML_HEAD)).toBe(true);
  expect(xml).toContain('tests="1" failures="0" errors="0"');
  expect(xml).toContain('<testcase classname="crush-run" name="Judge this" ');
  expect(xml).toContain("<system-out>All &lt;good&gt;.</system-out>");
  expect(xml).toContain('<property name="model" value="fake/model"/>');
  await place.run(["run", "--junit", "review.xml"], { stdin });
  expect(readFileSync(join(place.work, "review.xml"), "utf8")).toContain('name="a diff"');
});

test.each([
  ["a failure of the provider", { status: 401 }, [], 4, '<error type="auth_refused" message="'],
  ["a limit", { text: "so f", finish: "length" }, [], 6, '<failure type="output_tokens" message="'],
  [
    "a time limit",
    { neverHeaders: true },
    ["--timeout", "1s"],
    124,
    '<failure type="timeout" message="',
  ],
  [
    "a model that there is not",
    {},
    ["-m", "fake/none"],
    2,
    '<error type="unknown_model" message="',
  ],
] as const)("--junit tells %s", async (_, does, args, status, element) => {
  await using provider = await startFakeProvider(does);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "--junit=r.xml", ...args, "hi"]);
  expect(ended.status).toBe(status);
  const xml = readFileSync(join(place.work, "r.xml"), "utf8");
  expect(xml).toContain(element);
  expect(xml).toContain(`<property name="exit_code" value="${status}"/>`);
  expect(xml.endsWith("</testsuites>\n")).toBe(true);
});

test("--junit tells a signal, and is there before the process dies of it", async () => {
  await using provider = await startFakeProvider({ neverHeaders: true });
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-v", "--junit", "r.xml", "hi"]);
  await run.waitForStderr("run ");
  run.child.kill("SIGINT");
  expect((await run.ended).signal).toBe("SIGINT");
  const xml = readFileSync(join(place.work, "r.xml"), "utf8");
  expect(xml).toContain('<error type="signal" message="');
  expect(xml).toContain('<property name="exit_code" value="130"/>');
});

test("a --junit that cannot be written is refused before anything is sent", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  for (const [args, says] of [
    [
      ["--junit", "missing/r.xml"],
      /^error: --junit names "missing\/r.xml", which cannot be written/,
    ],
    [["--junit", ""], /^error: --junit is empty/],
    [["--junit", "."], /^error: --junit names/],
    [["--junit", "a", "--junit", "b"], /^error: --junit was given 2 times/],
    [["--junit", "same", "-o", "same"], /name the same file/],
  ] as const) {
    const ended = await place.run(["run", ...args, "hi"]);
    expect([ended.status, ended.stdout.toString()]).toEqual([2, ""]);
    expect(ended.stderr.toString()).toMatch(says);
    expect(ended.stderr.toString()).toContain("(usage); ");
  }
  expect(provider.requests).toEqual([]);
});

test("a --junit that cannot be written in the end fails the run, and the result says so", async () => {
  await using provider = await startFakeProvider((request) => {
    if (request.index === 0) rmSync(join(gone, "reports"), { recursive: true });
    return { text: "ok" };
  });
  await using place = crushPlace({ provider });
  const gone = place.work;
  mkdirSync(join(gone, "reports"));
  const ended = await place.run(["run", "--output", "json", "--junit", "reports/r.xml", "hi"]);
  expect(ended.status).toBe(8);
  expect(JSON.parse(ended.stdout.toString())).toMatchObject({
    exit_code: 8,
    reason: "output_write",
    text: "ok",
    error: { message: "cannot write reports/r.xml of --junit: ENOENT" },
  });
});
