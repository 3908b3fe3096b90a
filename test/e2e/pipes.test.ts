import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { conversation } from "../support/chat-request.ts";
import { CRUSH, crushPlace, type CrushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { shell } from "../support/shell.ts";

const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

/** Text of about this many bytes: lines, characters of one to four bytes, nothing that repeats soon. */
function longText(bytes: number): string {
  const parts: string[] = [];
  let length = 0;
  for (let n = 0; length < bytes; n += 1) {
    const part = `${n} – né 漢字 😀 "quoted\\" ${(n * 7_919) % 104_729}${n % 7 === 0 ? "\n" : " "}`;
    parts.push(part);
    length += Buffer.byteLength(part);
  }
  return parts.join("").trimEnd();
}

const OUTPUTS = [["default"], ["--stream"]] as const;
const flagsOf = (output: string): string[] => (output === "default" ? [] : [output]);

test.each(OUTPUTS)(
  "%s: 1 MB in 20,000 deltas arrives byte for byte, in a pipe as in a file",
  async (output) => {
    const text = longText(1_000_000);
    await using provider = await startFakeProvider({ text, chunks: 20_000, write: "64k" });
    await using place = crushPlace({ provider });
    const expected = sha256(`${text}\n`);

    const piped = await place.run(["run", ...flagsOf(output), "hi"]);
    expect([piped.status, piped.stderr.toString(), sha256(piped.stdout)]).toEqual([
      0,
      "",
      expected,
    ]);

    const path = join(place.home, "answer");
    const file = openSync(path, "w");
    const filed = await place.run(["run", ...flagsOf(output), "hi"], { stdout: file });
    closeSync(file);
    expect([filed.status, filed.stderr.toString()]).toEqual([0, ""]);
    expect(sha256(readFileSync(path))).toBe(expected);
  },
);

test.concurrent.each(OUTPUTS)(
  "%s: 10 MB reach a reader of 1 MiB/s byte for byte",
  async (output) => {
    const text = longText(10_000_000);
    await using provider = await startFakeProvider({ text, chunks: 5_000, write: "64k" });
    await using place = crushPlace({ provider });
    const child = spawn(CRUSH, ["run", ...flagsOf(output), "hi"], {
      cwd: place.work,
      env: place.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    const hash = createHash("sha256");
    let seen = 0;
    const started = performance.now();
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      hash.update(chunk);
      seen += chunk.length;
      await delay(Math.max(0, (seen / 1_048_576) * 1000 - (performance.now() - started)));
    }
    expect(await exited).toEqual([0, null]);
    expect(hash.digest("hex")).toBe(sha256(`${text}\n`));
  },
  40_000,
);

/** Ten seconds of text. */
const LONG = { text: "x".repeat(200_000), chunks: 2_000, delayMs: 5 };

test("a reader that begins late gets every byte, however much was said meanwhile", async () => {
  // More characters than the server keeps for one who lags behind.
  const text = Array.from({ length: 1_250_000 }, (_, n) =>
    `${1e7 + n} ${1e7 - n}`.slice(0, 16),
  ).join("\n");
  await using provider = await startFakeProvider({ text, chunks: 5_000, write: "64k" });
  await using place = crushPlace({ provider });
  const child = spawn(CRUSH, ["run", "--stream", "hi"], {
    cwd: place.work,
    env: place.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  await expect.poll(() => provider.requests[0]?.lastByteAt, { timeout: 20_000 }).toBeDefined();
  const hash = createHash("sha256");
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) hash.update(chunk);
  expect(await exited).toEqual([0, null]);
  expect(hash.digest("hex")).toBe(sha256(`${text}\n`));
});

test("a reader that takes one byte and leaves ends the run at once, without a trace", async () => {
  await using provider = await startFakeProvider(LONG);
  await using place = crushPlace({ provider });
  const ended = await shell(place, 'crush run --stream hi | head -c 1; echo " ${PIPESTATUS[0]}"');
  expect(ended).toMatchObject({ status: 0, stdout: "x 141\n", stderr: "" });
  expect(ended.wallMs).toBeLessThan(4_000);
  await expect.poll(() => provider.requests[0]?.clientLeft).toBe(true);
});

test("a run whose reader left ends by SIGPIPE, whenever it was that it left", async () => {
  await using provider = await startFakeProvider((request) =>
    request.index === 0 ? LONG : { text: "short", firstByteDelayMs: 100 },
  );
  await using place = crushPlace({ provider });
  const streaming = place.spawn(["run", "--stream", "hi"]);
  await streaming.waitForStdout("x");
  streaming.child.stdout?.destroy();
  expect(await streaming.ended).toMatchObject({ status: null, signal: "SIGPIPE" });
  expect(streaming.stderr().toString()).toBe("");

  const waiting = place.spawn(["run", "hi"]);
  waiting.child.stdout?.destroy();
  expect(await waiting.ended).toMatchObject({ status: null, signal: "SIGPIPE" });
  expect(waiting.stderr().toString()).toBe("");
});

test.each(OUTPUTS)(
  "%s: a full disk under standard output is exit 8, with one line that says so",
  async (output) => {
    await using provider = await startFakeProvider({ text: "an answer" });
    await using place = crushPlace({ provider });
    const full = openSync("/dev/full", "w");
    const ended = await place.run(["run", ...flagsOf(output), "hi"], { stdout: full });
    closeSync(full);
    expect(ended.status).toBe(8);
    expect(errorLines(ended)).toEqual([
      "error: cannot write to standard output: ENOSPC (output_write); free some space, or send the output elsewhere",
    ]);
  },
);

test("a file that takes only the beginning of the answer is exit 8", async () => {
  await using provider = await startFakeProvider({ text: "y".repeat(3_000) });
  await using place = crushPlace({ provider });
  // The file may grow to 64 MiB, and 1,000 bytes are left: the system writes those and reports no error yet.
  const ended = await shell(
    place,
    `head -c 1000 /dev/zero > nearly; truncate -s $((64 * 1024 * 1024 - 1000)) nearly
     ulimit -f $((64 * 1024)); crush run hi >> nearly`,
  );
  expect([ended.status, errorLines({ stderr: Buffer.from(ended.stderr) })]).toEqual([
    8,
    [expect.stringContaining("(output_write)") as string],
  ]);
});

test.each([
  ["closed", "crush run hi <&-", "hi"],
  ["/dev/null", "crush run hi </dev/null", "hi"],
  ["a directory", "crush run hi <.", "hi"],
  ["an empty pipe", ": | crush run hi", "hi"],
  ["a pipe with nothing but white space", "printf ' \\n' | crush run hi", "hi"],
  ["a file", "printf 'from a file' >f; crush run hi <f", "from a file\n\nhi"],
  ["a pipe", "printf 'piped\\n' | crush run hi there", "piped\n\n\nhi there"],
  ["the whole prompt", "printf 'all of it' | crush run", "all of it"],
  ["not wanted", "printf unseen | crush run --no-stdin hi", "hi"],
  [
    "slow, but within the wait",
    "(printf 'caf\\303'; sleep 0.6; printf '\\251'; sleep 0.6; printf s) | crush run --stdin-wait 1s hi",
    "cafés\n\nhi",
  ],
  ["large", "head -c 300000 /dev/zero | tr '\\0' z | crush run", "z".repeat(300_000)],
])("standard input that is %s makes the prompt it should", async (_, script, prompt) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  expect(await shell(place, script)).toMatchObject({ status: 0, stdout: "ok\n", stderr: "" });
  expect(conversation(provider.requests[0])).toEqual([`user: ${prompt}`]);
});

test("a socket on standard input is read to its end", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  // What Node calls a pipe between processes is a socket.
  const ended = await place.run(["run", "hi"], { stdin: { text: "from a socket" } });
  expect([ended.status, ...conversation(provider.requests[0])]).toEqual([
    0,
    "user: from a socket\n\nhi",
  ]);
});

test.each([
  ["never says anything", ""],
  ["stops in between", "some"],
])("standard input that %s is given up with exit 2 and the remedy", async (_, beginning) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const waiting = place.spawn(["run", "--stdin-wait", "500ms", "hi"], { stdin: "pipe" });
  waiting.child.stdin?.write(beginning);
  const ended = await waiting.ended;
  expect([ended.status, ended.stdout.toString(), provider.requests.length]).toEqual([2, "", 0]);
  expect(errorLines(ended)).toEqual([
    "error: standard input is open, but nothing came for 0.5 s (stdin_wait); close it with </dev/null, or use --no-stdin, or raise --stdin-wait",
  ]);
  expect(ended.wallMs).toBeLessThan(3_000);
});

test("standard output that is closed is no reason to fail", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  expect(await shell(place, "crush run hi >&-")).toMatchObject({ status: 0, stderr: "" });
});

const NOWHERE = [
  ["is closed", (args: string) => `crush ${args} 2>&-`],
  ["is full", (args: string) => `crush ${args} 2>/dev/full`],
  ["has lost its reader", (args: string) => `exec 2> >(exit 0); wait $!; crush ${args}`],
] as const;

test.each(NOWHERE)("standard error that %s changes no status and no answer", async (_, command) => {
  await using provider = await startFakeProvider((request) =>
    request.index === 0 ? { text: "ok" } : { status: 401 },
  );
  await using place = crushPlace({ provider });
  expect(await run(place, command("run -v hi"))).toEqual([0, "ok\n"]);
  expect(await run(place, command("run -v hi"))).toEqual([4, ""]);
  expect(await run(place, command("run --nope"))).toEqual([2, ""]);
  expect(await run(place, command("show nobody"))).toEqual([2, ""]);
});

const run = async (place: CrushPlace, script: string): Promise<[number | null, string]> => {
  const { status, stdout } = await shell(place, script);
  return [status, stdout];
};

test("standard input without an end is refused, and so is one that cannot be read", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const endless = await shell(place, 'yes | crush run; echo "${PIPESTATUS[1]}"');
  expect(endless.stderr).toMatch(/^error: standard input is longer than 64 MiB \(usage\); .+\n$/);
  expect(endless.stdout).toBe("2\n");
  const large = await shell(place, "truncate -s 3G large; crush run <large; echo $?");
  expect([large.stdout, large.stderr]).toEqual(["2\n", endless.stderr]);
  const backwards = await shell(place, "crush run hi 0>written; echo $?");
  expect(backwards.stderr).toMatch(/^error: cannot read standard input: EBADF.* \(usage\); .+\n$/);
  expect(backwards.stdout).toBe("2\n");
  expect(provider.requests).toEqual([]);
});
