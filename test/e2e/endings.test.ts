import { describe, expect, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import { crushPlace, FAKE_KEY, FAMILIES } from "../support/crush.ts";
import {
  endingOf,
  failed,
  runCase,
  seen,
  succeeded,
  titled,
  type EndingCase,
} from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";

// Every fault of a provider, for real; first the ones that no other try can mend. Most of these tests wait: they do it together.
test.concurrent.each(
  titled({
    "400": { script: { status: 400 }, reason: "provider_error", says: "HTTP 400" },
    "403": { script: { status: 403 }, reason: "auth_refused", says: "HTTP 403" },
    "404": { script: { status: 404 }, reason: "provider_error", says: "base_url" },
    "422": { script: { status: 422 }, reason: "provider_error", says: "HTTP 422" },
    "a page instead of a stream": {
      script: { html200: true },
      reason: "provider_error",
      says: "text/html",
    },
    "429 whose Retry-After is beyond --retry-max-wait": {
      script: { status: 429, headers: { "retry-after": "120" } },
      args: ["--retry-max-wait", "2s"],
      reason: "provider_unavailable",
      says: "wait 120 s",
    },
    "500 with --retries 0": {
      script: { status: 500 },
      args: ["--retries", "0"],
      reason: "provider_unavailable",
      says: "HTTP 500",
    },
  } as const),
)("%s ends the run after one request", async (_, one) => {
  expect(await runCase(one)).toEqual(endingOf(one));
});

const ONCE_MORE = { reason: "provider_unavailable", retries: 1, args: ["--retries", "1"] } as const;

/** Slow enough that most of the text is there, and might be kept, when it breaks. */
const SLOWLY = { chunks: 4, delayMs: 40 };

/** Two attempts that break in the same way; nothing of the first may be seen. */
const broken = (fault: FakeStep): { script: FakeStep[]; stdout: { startOf: string } } => ({
  script: [
    { text: "Withdrawn words.", ...SLOWLY, ...fault },
    { text: "Half an answer", ...SLOWLY, ...fault },
  ],
  stdout: { startOf: "Half an answer" },
});

test.concurrent.each(
  titled({
    "429": { script: { status: 429 }, says: "HTTP 429" },
    "429 with a short Retry-After": { script: { status: 429, headers: { "retry-after": "1" } } },
    "500": { script: { status: 500 }, says: "HTTP 500" },
    "529": { script: { status: 529 }, says: "HTTP 529" },
    "a reset before the first byte": { script: { resetBeforeFirstByte: true }, says: "ECONNRESET" },
    "a reset in mid-answer": broken({ resetAfter: 3 }),
    "a connection closed in mid-answer": broken({ cutAfter: 3 }),
    "a truncated line": broken({ truncatedLine: true }),
    "a chunk of broken JSON": broken({ brokenJson: true }),
    "a stream without a byte": { script: { emptyBody: true } },
    "no headers within the wait for the first byte": {
      script: { neverHeaders: true },
      env: { CRUSH_RUN_FIRST_BYTE_TIMEOUT: "300ms" },
      says: "300 ms",
    },
  }),
)("%s, twice, ends the run that may try once again", async (_, fault) => {
  const one: EndingCase = { ...ONCE_MORE, ...fault };
  expect(await runCase(one)).toEqual(endingOf(one));
});

test("a provider that nobody listens for is unavailable", async () => {
  const provider = await startFakeProvider({});
  await provider.close();
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "--retries", "0", "hi"], { withinMs: 10_000 });
  expect(seen(ended)).toEqual(failed("provider_unavailable", { says: "ECONNREFUSED" }));
});

describe.each(FAMILIES)("%s", (family) => {
  test.concurrent.each(
    titled({
      "a key that is refused": {
        script: { status: 401, body: { error: { message: `Invalid key: ${FAKE_KEY}` } } },
        reason: "auth_refused",
        says: "HTTP 401: Invalid key: ***",
      },
      "an answer cut off by the output limit": {
        script: { text: "Half an answer", finish: "length" },
        reason: "output_tokens",
        stdout: "Half an answer\n",
      },
      "an answer stopped by the content filter": {
        script: { text: "Half an answer", finish: "content_filter" },
        reason: "content_filter",
        stdout: "Half an answer\n",
      },
      "an empty answer": { script: {}, reason: "empty_output", says: "--allow-empty" },
      "an answer of nothing but reasoning": {
        script: { reasoning: "Hmm." },
        reason: "empty_output",
      },
    } as const),
  )("%s ends the run", async (_, one) => {
    expect(await runCase({ ...one, family })).toEqual(endingOf(one));
  });

  test.concurrent.each(
    titled({
      "a stream without its finish marker": broken({ endWithoutFinish: true }),
      "an error event inside the stream": {
        ...broken({ errorEvent: "The engine stalled" }),
        says: "The engine stalled",
      },
    }),
  )("%s, twice, ends the run that may try once again", async (_, fault) => {
    const one: EndingCase = { ...ONCE_MORE, ...fault, family };
    expect(await runCase(one)).toEqual(endingOf(one));
  });

  test("what was printed before the stream broke stays, and the status tells", async () => {
    const printed = deferred();
    const held = { after: 3, until: printed.promise };
    const fault = { text: "Half an answer", chunks: 3, pause: held, endWithoutFinish: true };
    await using provider = await startFakeProvider(fault);
    await using place = crushPlace({ provider: { url: provider.url, family } });
    const run = place.spawn(["run", "--stream", "--retries", "0", "hi"]);
    await run.waitForStdout("Half an answer");
    printed.resolve();
    const what = { says: "finish marker", stdout: "Half an answer\n" };
    expect(seen(await run.ended)).toEqual(failed("provider_unavailable", what));
  });

  test("an answer is whole though its socket never closes", async () => {
    await using provider = await startFakeProvider({ text: "All of it.", neverClose: true });
    await using place = crushPlace({ provider: { url: provider.url, family } });
    const ended = await place.run(["run", "hi"], { withinMs: 5_000 });
    expect(seen(ended)).toEqual(succeeded("All of it.\n"));
  });
});

// One after the other: a process that starts slowly would use up its --timeout.
const silence = { text: "Half an answer", chunks: 3, silenceAfter: 3 };

test.each(
  titled({
    "silence in mid-answer for --idle-timeout": {
      script: silence,
      args: ["--idle-timeout", "1s"],
      reason: "idle_timeout",
      stdout: "Half an answer\n",
    },
    "no headers for --idle-timeout": {
      script: { neverHeaders: true },
      args: ["--idle-timeout", "1s"],
      reason: "idle_timeout",
    },
    "an answer that does not end within --timeout": {
      script: silence,
      args: ["--timeout", "2s"],
      reason: "timeout",
      stdout: "Half an answer\n",
    },
    "a command of a tool that does not end within --timeout": {
      script: {
        text: "I sleep.",
        toolCalls: [{ id: "call_1", name: "bash", input: { command: "sleep 30" } }],
      },
      args: ["--timeout", "2s"],
      reason: "timeout",
      stdout: "I sleep.\n",
    },
    "a wait for another try that --timeout does not allow": {
      script: { status: 429, headers: { "retry-after": "30" } },
      args: ["--timeout", "2s"],
      reason: "timeout",
      retries: 1,
      requests: 1,
    },
  } as const),
)("%s ends the run as timed out", async (_, one) => {
  expect(await runCase(one)).toEqual(endingOf(one));
});

test("the same call with the same result five times in a row ends the run", async () => {
  const one: EndingCase = {
    script: ({ index }) => ({
      text: "Let me look.",
      toolCalls: [{ id: `call_${index}`, name: "ls", input: {} }],
    }),
    reason: "loop",
    requests: 5,
    stdout: "Let me look.\n",
    says: "(ls)",
  };
  expect(await runCase(one)).toEqual(endingOf(one));
});

test("an empty answer is a success with --allow-empty", async () => {
  await using provider = await startFakeProvider({});
  await using place = crushPlace({ provider });
  expect(seen(await place.run(["run", "--allow-empty", "hi"]))).toEqual(succeeded(""));
});
