import { closeSync, existsSync, openSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JsonObject } from "../../src/shared/json.ts";
import { crushPlace, type CrushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { wrongInLine, wrongInResult } from "../support/output-schemas.ts";
import { shell } from "../support/shell.ts";

type Document = JsonObject;

const read = (place: CrushPlace, name: string): string =>
  readFileSync(join(place.work, name), "utf8");
/** Of a file with events, or with one result; each as its schema says. */
function lines(text: string): Document[] {
  const all = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Document);
  for (const one of all)
    expect(Object.hasOwn(one, "seq") ? wrongInLine(one) : wrongInResult(one)).toEqual([]);
  return all;
}
const typesOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as Document)["type"]);
/** What differs from one writing to the next. */
const withoutTimes = (document: Document): Document => ({
  ...document,
  seq: 0,
  ts: "",
  timings_ms: {},
});

const LOOKS: FakeStep[] = [
  { text: "I shall look.", toolCalls: [{ id: "call_1", name: "ls", input: {} }] },
  { text: "There is\nnothing." },
];

test("text: the file has what standard output has, and the events are those of stream-json, the result last", async () => {
  await using provider = await startFakeProvider([...LOOKS, ...LOOKS]);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "-o", "answer.md", "--events", "events.jsonl", "hi"]);
  expect([ended.status, ended.stderr.toString()]).toEqual([0, ""]);
  expect(ended.stdout.toString()).toBe("There is\nnothing.\n");
  expect(read(place, "answer.md")).toBe("There is\nnothing.\n");
  const events = lines(read(place, "events.jsonl"));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  expect(events.at(-1)).toMatchObject({ type: "run.result", exit_code: 0, turns: 2 });
  const streamed = await place.run(["run", "--output", "stream-json", "hi"]);
  const told = (text: string): unknown[] =>
    typesOf(text).filter((type) => type !== "text.delta" && type !== "run.result");
  expect(told(read(place, "events.jsonl"))).toEqual(told(streamed.stdout.toString()));
  expect(readdirSync(place.work).toSorted()).toEqual([".crush", "answer.md", "events.jsonl"]);
});

test.each(["json", "stream-json"])(
  "%s: the file has the result as one document",
  async (format) => {
    await using provider = await startFakeProvider({ text: "ok" });
    await using place = crushPlace({ provider });
    const args = ["--output", format, "--output-file", "result.json", "--events", "events.jsonl"];
    const ended = await place.run(["run", ...args, "hi"]);
    expect(ended.status).toBe(0);
    const last = lines(ended.stdout.toString()).at(-1) ?? {};
    const [document, ...more] = lines(read(place, "result.json"));
    expect(more).toEqual([]);
    expect(document).not.toHaveProperty("seq");
    expect(withoutTimes(document ?? {})).toEqual(withoutTimes(last));
    expect(withoutTimes(lines(read(place, "events.jsonl")).at(-1) ?? {})).toEqual(
      withoutTimes(last),
    );
  },
);

test("a run that fails or is not begun leaves files that say so", async () => {
  await using provider = await startFakeProvider({ status: 401 });
  await using place = crushPlace({ provider });
  place.write("answer.md", "of an earlier run");
  const args = ["run", "-o", "answer.md", "--events", "events.jsonl"];
  const refused = await place.run([...args, "hi"]);
  expect([refused.status, read(place, "answer.md")]).toEqual([4, ""]);
  expect(lines(read(place, "events.jsonl")).at(-1)).toMatchObject({ reason: "auth_refused" });
  expect((await place.run(args)).status).toBe(2);
  expect(lines(read(place, "events.jsonl"))).toMatchObject([
    { type: "run.result", reason: "no_prompt", run_id: null },
  ]);
});

test("after a signal and after a time limit the files are written, with what was said", async () => {
  await using provider = await startFakeProvider({ text: "one two", chunks: 2, silenceAfter: 1 });
  await using place = crushPlace({ provider });
  const args = ["run", "-v", "-o", "answer.md", "--events", "events.jsonl", "hi"];
  const run = place.spawn(args);
  await run.waitForStderr("run ");
  await expect.poll(() => provider.requests.length, { timeout: 10_000 }).toBe(1);
  await expect
    .poll(() => readdirSync(place.work).some((name) => name.startsWith(".crush-run-")))
    .toBe(true);
  run.child.kill("SIGTERM");
  expect((await run.ended).signal).toBe("SIGTERM");
  expect(lines(read(place, "events.jsonl")).at(-1)).toMatchObject({
    reason: "signal",
    exit_code: 143,
  });
  const late = await place.run([...args, "--timeout", "1s"]);
  expect(late.status).toBe(124);
  expect(read(place, "answer.md")).toBe(late.stdout.toString());
  expect(lines(read(place, "events.jsonl")).at(-1)).toMatchObject({
    reason: "timeout",
    text: "one ",
    partial: true,
  });
  expect(readdirSync(place.work).toSorted()).toEqual([".crush", "answer.md", "events.jsonl"]);
});

test.each([
  ["--output-file", ["-o", "none/answer.md"], "ENOENT"],
  ["--events", ["--events", "sub"], "no file"],
  ["--output-file", ["-o", "-"], "standard output"],
  ["--output-file", ["-o", ""], "name a file"],
  ["--output-file", ["-o", "json"], "use --output json"],
  ["--output-file", ["-o", "a", "-o", "b"], "once"],
  ["--events", ["-o", "a", "--events", "./a"], "name two files"],
  ["--events", ["--events", "/dev/stdout"], "standard output"],
  ["--events", ["--events", "/dev/stderr"], "standard error"],
  ["--output-file", ["-o"], "needs a value"],
])("%s that cannot be is refused before anything is sent: %j", async (flag, args, remedy) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  place.write("sub/file", "");
  const ended = await place.run(["run", "hi", ...args]);
  expect([ended.status, ended.stdout.toString(), provider.requests.length]).toEqual([2, "", 0]);
  expect(errorLines(ended)).toEqual([expect.stringContaining(flag) as string]);
  expect(ended.stderr.toString()).toContain(remedy);
  expect(readdirSync(place.work)).toEqual(["sub"]);
});

test("the file that standard output goes to is no place for another", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const ended = await shell(place, "crush run -o out hi >out; echo $?; cat out");
  expect(ended.stdout).toBe("2\n");
  expect(ended.stderr).toMatch(/^error: --output-file names the file that standard output goes to/);
  expect(provider.requests).toEqual([]);
  const devNull = await place.run(["run", "-o", "/dev/null", "--events", "/dev/null", "hi"]);
  expect([devNull.status, devNull.stdout.toString()]).toEqual([0, "ok\n"]);
});

test("a full disk under a file is exit 8, told in the result and in the other files, and the answer is there", async () => {
  await using provider = await startFakeProvider({ text: "an answer" });
  await using place = crushPlace({ provider });
  const message = "cannot write /dev/full of --events: ENOSPC";
  const args = ["--output", "json", "-o", "result.json", "--events", "/dev/full"];
  const ended = await place.run(["run", ...args, "hi"]);
  expect(ended.status).toBe(8);
  expect(errorLines(ended)).toEqual([expect.stringContaining(message) as string]);
  const told = {
    exit_code: 8,
    reason: "output_write",
    text: "an answer",
    partial: false,
    error: { message },
  };
  expect(lines(ended.stdout.toString())).toMatchObject([told]);
  expect(lines(read(place, "result.json"))).toMatchObject([told]);

  const text = await place.run(["run", "-o", "/dev/full", "--events", "events.jsonl", "hi"]);
  expect([text.status, text.stdout.toString()]).toEqual([8, "an answer\n"]);
  expect(lines(read(place, "events.jsonl")).at(-1)).toMatchObject({ exit_code: 8 });

  const both = await place.run(["run", "-o", "/dev/full", "--events", "/dev/full", "hi"]);
  expect([both.status, errorLines(both).length]).toEqual([8, 1]);
  expect(both.stderr.toString()).toContain(`warning: ${message}`);
});

test("a directory that the run takes away is a failure to write, and the result on standard output says so", async () => {
  await using provider = await startFakeProvider([
    { toolCalls: [{ id: "call_1", name: "bash", input: { command: "rm -r out" } }] },
    { text: "Gone." },
  ]);
  await using place = crushPlace({ provider });
  place.write("out/keep", "");
  const args = ["--output", "json", "-o", "result.json", "--events", "out/events.jsonl"];
  const ended = await place.run(["run", ...args, "hi"]);
  expect(ended.status).toBe(8);
  const told = { exit_code: 8, error: { code: "output_write" }, text: "Gone." };
  expect(lines(ended.stdout.toString())).toMatchObject([told]);
  // It was written before the events could not be finished, and again after.
  expect(lines(read(place, "result.json"))).toMatchObject([told]);
});

test("a run that failed keeps its reason, and the file that could not be written is a warning", async () => {
  await using provider = await startFakeProvider({ status: 401 });
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "--output", "json", "--events", "/dev/full", "hi"]);
  expect(ended.status).toBe(4);
  expect(ended.stderr.toString()).toContain("warning: cannot write /dev/full of --events: ENOSPC");
  const [result] = lines(ended.stdout.toString());
  expect(result).toMatchObject({
    reason: "auth_refused",
    warnings: [expect.stringContaining("ENOSPC")],
  });
});

test("events go into a pipe of the shell as they come, and a reader that leaves it costs the status", async () => {
  const text = "x".repeat(200_000); // more than a pipe holds
  await using provider = await startFakeProvider({ text, write: "64k" });
  await using place = crushPlace({ provider });
  const ended = await shell(
    place,
    `mkfifo pipe; cat pipe >copy & crush run --events pipe hi | wc -c; wait
    crush run --events >(head -c 1 >/dev/null) hi >answer; echo $?; wc -c <answer
    echo '{"type":"before"}' >appended
    crush run --events /dev/fd/5 hi 5>>appended >answer; echo $?`,
  );
  expect(ended.stdout).toBe("200001\n8\n200001\n0\n");
  expect(typesOf(read(place, "copy")).at(-1)).toBe("run.result");
  const appended = typesOf(read(place, "appended"));
  expect([appended[0], appended.at(-1)]).toEqual(["before", "run.result"]);
  expect(ended.stderr).toMatch(/^error: .*its reader left \(output_write\)/);
});

test("a descriptor that the shell has not opened is refused, whatever Node keeps under its number", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const numbers = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const ended = await shell(
    place,
    `for n in ${numbers.join(" ")}; do crush run -o /dev/fd/$n hi; echo $?; done; crush run -o /proc/self/fd/4 hi; echo $?
    crush run -o /dev/fd/5 hi 5<&0 </dev/null; echo $?`,
    60_000,
  );
  expect(ended.stdout.trim().split("\n")).toEqual([...numbers, "proc", "read-only"].map(() => "2"));
  for (const line of ended.stderr.trim().split("\n"))
    expect(line).toMatch(/^error: --output-file names "?\/(dev|proc\/self)\/fd\/\d+.*\(usage\); /);
  expect(provider.requests).toEqual([]);
});

test("a descriptor that the shell has opened more than once is written", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const ended = await shell(
    place,
    `crush run -o /dev/fd/3 hi 3> >(cat >copy) 4>&3 >answer; echo $?; sleep 0.2; cat copy
    crush run -o /dev/fd/5 hi 5<>both >answer; echo $?; cat both`,
  );
  expect([ended.stdout, ended.stderr]).toEqual(["0\nok\n0\nok\n", ""]);
});

test("a pipe that nobody reads to the end does not outlive the time limit", async () => {
  await using provider = await startFakeProvider({ text: "y".repeat(500_000), write: "64k" });
  await using place = crushPlace({ provider });
  const ended = await shell(
    place,
    `mkfifo pipe; sleep 20 <pipe >/dev/null 2>&1 &
    crush run --timeout 1s --kill-after 500ms --events pipe hi >/dev/null; echo $?; kill %1`,
    15_000,
  );
  expect(ended.stdout).toBe("124\n");
  expect(ended.stderr).toMatch(/error: .*\(timeout\)/);
});

test("a link is followed, and what was there stays until the run has ended", async () => {
  await using provider = await startFakeProvider({ text: "new" });
  await using place = crushPlace({ provider });
  place.write("real/answer.md", "old");
  symlinkSync("real/answer.md", join(place.work, "link"));
  expect((await place.run(["run", "-o", "link", "hi"])).status).toBe(0);
  expect(read(place, "real/answer.md")).toBe("new\n");
  expect(readdirSync(join(place.work, "real"))).toEqual(["answer.md"]);
});

test("a full disk under standard output leaves the files as they are", async () => {
  await using provider = await startFakeProvider({ text: "an answer" });
  await using place = crushPlace({ provider });
  const full = openSync("/dev/full", "w");
  const ended = await place.run(["run", "-o", "answer.md", "hi"], { stdout: full });
  closeSync(full);
  expect([ended.status, read(place, "answer.md")]).toEqual([8, "an answer\n"]);
});

test("--print-ids says the ids on two lines before the run, also a quiet one", async () => {
  await using provider = await startFakeProvider({ text: "one two", chunks: 2, silenceAfter: 1 });
  await using place = crushPlace({ provider });
  const run = place.spawn(["run", "-q", "--print-ids", "--output", "json", "hi"]);
  await run.waitForStderr("run_id=");
  run.child.kill("SIGTERM");
  const ended = await run.ended;
  const [session, id, ...rest] = ended.stderr.toString().trimEnd().split("\n");
  const [result] = lines(ended.stdout.toString());
  const ids = {
    session_id: session?.slice("session_id=".length),
    run_id: id?.slice("run_id=".length),
  };
  expect(result).toMatchObject(ids);
  expect([session, id]).toEqual([`session_id=${ids.session_id}`, `run_id=${ids.run_id}`]);
  expect(rest).toHaveLength(1);

  const env = { CRUSH_RUN_PRINT_IDS: "perhaps" };
  const wrong = await place.run(["run", "hi"], { env });
  expect([wrong.status, provider.requests.length <= 1]).toEqual([2, true]);
  expect(errorLines(wrong)).toEqual([expect.stringContaining("CRUSH_RUN_PRINT_IDS") as string]);
  expect(existsSync(join(place.work, "json"))).toBe(false);
});
