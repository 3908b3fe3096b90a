import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { conversation } from "../support/chat-request.ts";
import { crushPlace } from "../support/crush.ts";
import { failed, seen, succeeded } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { shell } from "../support/shell.ts";

// Each shape of standard input that pipes.test.ts and terminal.test.ts leave out; and all of them with --no-stdin.

const NO_TEXT =
  "error: standard input is no text (usage); attach images and PDFs with --file, or leave it alone with --no-stdin\n";
const WAITED =
  "error: standard input is open, but nothing came for 0.3 s (stdin_wait); close it with </dev/null, or use --no-stdin, or raise --stdin-wait\n";
const NOT_ALL_UTF8 =
  "warning: standard input is not all UTF-8; what is not reaches the model as \uFFFD\n";

/** A script with RUN for the command, and the prompt that it makes. */
const TAKEN = [
  ["an empty file", ": >f; RUN <f", "hi"],
  ["a file of white space", "printf ' \\n\\n' >f; RUN <f", "hi"],
  ["a file that was read in part", "printf 'one\\ntwo' >f; (read; RUN) <f", "two\n\nhi"],
  ["a file opened to be written as well", "printf x >f; RUN <>f", "x\n\nhi"],
  ["a here-document", "RUN <<<text", "text\n\n\nhi"],
  ["a device without an end", "RUN </dev/zero", "hi"],
  ["a FIFO with data", "mkfifo f; (printf data >f) & RUN <f", "data\n\nhi"],
  ["a pipe whose writer dies", "(printf data; kill -9 $BASHPID) | RUN", "data\n\nhi"],
] as const;

/** What follows is not UTF-8 everywhere. */
const REPLACED = [
  [
    "a pipe with a stray byte",
    "printf 'caf\\351 \\360\\237\\230\\200' | RUN",
    "caf\uFFFD 😀\n\nhi",
  ],
  ["a file with half a character", "printf '\\303' >f; RUN <f", "\uFFFD\n\nhi"],
] as const;

const REFUSED = [
  ["a FIFO that is never closed", "mkfifo f; exec 3<>f; RUN <f", WAITED],
  [
    "a FIFO that is never closed, with data",
    "mkfifo f; exec 3<>f; printf data >&3; RUN <f",
    WAITED,
  ],
  ["a binary pipe", "printf 'a\\0b' | RUN", NO_TEXT],
  ["a binary file", "printf '\\211PNG\\r\\n\\032\\n\\0' >f; RUN <f", NO_TEXT],
  ["a binary pipe of 12 MB", "head -c 12000000 /dev/zero | RUN; (exit ${PIPESTATUS[1]})", NO_TEXT],
] as const;

const inFull = (script: string): string => script.replace("RUN", "crush run --stdin-wait 300ms hi");

test.concurrent.each([
  ...TAKEN.map((one) => [...one, ""] as const),
  ...REPLACED.map((one) => [...one, NOT_ALL_UTF8] as const),
])("standard input that is %s makes the prompt it should", async (_, script, prompt, stderr) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const ended = await shell(place, inFull(script), 8_000);
  expect(ended).toMatchObject({ status: 0, stdout: "ok\n", stderr });
  expect(provider.requests.map((one) => conversation(one))).toEqual([[`user: ${prompt}`]]);
});

test.concurrent.each(REFUSED)("standard input that is %s is refused", async (_, script, stderr) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const ended = await shell(place, inFull(script), 8_000);
  expect(ended).toMatchObject({ status: 2, stdout: "", stderr });
  expect(provider.requests).toEqual([]);
});

/** As pipes.test.ts has them. */
const OTHERS = [
  ["closed", "RUN <&-"],
  ["/dev/null", "RUN </dev/null"],
  ["a directory", "RUN <."],
  ["a file that may not be read", "RUN 0>f"],
  ["an empty pipe", ": | RUN"],
  ["a pipe with data", "printf data | RUN"],
  ["12 MB", "head -c 12000000 /dev/zero | RUN; (exit ${PIPESTATUS[1]})"],
  ["a terminal", `script -qec 'exec "$CRUSH" run --no-stdin --quiet hi >out' /dev/null; cat out`],
] as const;

test.concurrent.each(
  [...TAKEN, ...REPLACED, ...REFUSED, ...OTHERS].map(([shape, script]) => [shape, script] as const),
)("standard input that is %s is not looked at with --no-stdin", async (_, script) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const ended = await shell(place, script.replace("RUN", "crush run --no-stdin hi"), 8_000);
  expect(ended).toMatchObject({ status: 0, stdout: "ok\n", stderr: "" });
  expect(provider.requests.map((one) => conversation(one))).toEqual([["user: hi"]]);
});

test.concurrent("a socket on standard input that says nothing, or ends without a word, is no different", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const silent = await place.run(["run", "--stdin-wait", "300ms", "hi"], { stdin: "pipe" });
  expect(seen(silent)).toEqual(failed("stdin_wait"));
  expect(provider.requests).toEqual([]);
  const unasked = await place.run(["run", "--no-stdin", "hi"], { stdin: "pipe" });
  expect(seen(unasked)).toEqual(succeeded("ok\n"));
  const empty = await place.run(["run", "hi"], { stdin: { text: "" } });
  expect(seen(empty)).toEqual(succeeded("ok\n"));
  expect(provider.requests.map((one) => conversation(one))).toEqual([["user: hi"], ["user: hi"]]);
});

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test.concurrent("12 MB arrive whole by pipe, file and socket", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const text = 'né 漢字 😀 \\ "\n'.repeat(700_000).trimEnd();
  expect(Buffer.byteLength(text)).toBeGreaterThan(12_000_000);
  place.write("f", text);
  const runs = "cat f | crush run && crush run <f";
  expect(await shell(place, runs)).toMatchObject({ status: 0, stdout: "ok\nok\n", stderr: "" });
  expect(seen(await place.run(["run"], { stdin: { text } }))).toEqual(succeeded("ok\n"));
  const prompts = provider.requests.map((one) => sha256(conversation(one).join()));
  expect(prompts).toEqual(Array.from({ length: 3 }, () => sha256(`user: ${text}`)));
});

test.concurrent("after three seconds of waiting a note says what is waited for", async () => {
  await using place = crushPlace();
  const ended = await place.run(["run", "--stdin-wait", "3.2s", "hi"], { stdin: "pipe" });
  expect(seen(ended)).toEqual(
    failed("stdin_wait", {
      before: ["reading the prompt from standard input; --no-stdin leaves it alone"],
    }),
  );
  const quiet = await place.run(["run", "-q", "--stdin-wait", "3.2s", "hi"], { stdin: "pipe" });
  expect(seen(quiet)).toEqual(failed("stdin_wait"));
});

test.concurrent("what standard input lacked in UTF-8 is told in the result as well", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const ended = await shell(place, "printf '\\351' | crush run --output json");
  expect(JSON.parse(ended.stdout)).toMatchObject({
    exit_code: 0,
    warnings: [expect.stringContaining("not all UTF-8")],
  });
});
