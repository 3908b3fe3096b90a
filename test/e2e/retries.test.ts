import { describe, expect, test } from "vitest";
import { crushPlace, FAMILIES } from "../support/crush.ts";
import { retryLine, seen, succeeded, titled } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";

const WHOLE: FakeStep = { text: "A whole answer." };
/** Slow enough that most of it is there, and might be kept, when it breaks. */
const HALF: FakeStep = { text: "Withdrawn words.", chunks: 4, delayMs: 40 };

test("two failures and then an answer are a success, and both waits are told", async () => {
  await using provider = await startFakeProvider([{ status: 500 }, { status: 529 }, WHOLE]);
  await using place = crushPlace({ provider });
  const told = [retryLine(1, "HTTP 500"), retryLine(2, "HTTP 529")];
  expect(seen(await place.run(["run", "hi"]))).toEqual(succeeded("A whole answer.\n", told));
  const [first, ...others] = provider.requests.map(({ body }) => body);
  expect(others).toEqual([first, first]);
});

test.concurrent.each(
  titled<FakeStep>({
    "a reset before the first byte": { resetBeforeFirstByte: true },
    "a reset in mid-answer": { ...HALF, resetAfter: 3 },
    "a truncated line": { ...HALF, truncatedLine: true },
    "a chunk of broken JSON": { ...HALF, brokenJson: true },
  }),
)("after %s the answer of the next try is all that is printed", async (_, fault) => {
  await using provider = await startFakeProvider([fault, WHOLE]);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "hi"]);
  expect(seen(ended)).toEqual(succeeded("A whole answer.\n", [retryLine(1)]));
  expect(provider.requests).toHaveLength(2);
});

describe.each(FAMILIES)("%s", (family) => {
  test.concurrent.each(
    titled<FakeStep>({
      "a stream without its finish marker": { ...HALF, endWithoutFinish: true },
      "an error event": { ...HALF, errorEvent: true },
    }),
  )("after %s the answer of the next try is all that is printed", async (_, fault) => {
    await using provider = await startFakeProvider([fault, WHOLE]);
    await using place = crushPlace({ provider: { url: provider.url, family } });
    const ended = await place.run(["run", "hi"]);
    expect(seen(ended)).toEqual(succeeded("A whole answer.\n", [retryLine(1)]));
    expect(provider.requests).toHaveLength(2);
  });

  test("a step that breaks after its tool calls is tried again, and its tools run once", async () => {
    const write = { file_path: "made.txt", content: "once\n" };
    const calls = [{ id: "call_1", name: "write", input: write }];
    await using provider = await startFakeProvider([
      { ...HALF, toolCalls: calls, endWithoutFinish: true },
      { text: "I write.", toolCalls: calls },
      WHOLE,
    ]);
    await using place = crushPlace({ provider: { url: provider.url, family } });
    const ended = await place.run(["run", "hi"]);
    expect(seen(ended)).toEqual(succeeded("A whole answer.\n", [retryLine(1)]));
    const replayed = JSON.stringify(provider.requests[2]?.body);
    expect(replayed).toContain("created made.txt");
    expect(replayed).not.toContain("Withdrawn");
  });
});

test("a Retry-After within --retry-max-wait is waited for", async () => {
  const busy: FakeStep = { status: 429, headers: { "retry-after": "1" } };
  await using provider = await startFakeProvider([busy, WHOLE]);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "--retry-max-wait", "1s", "hi"]);
  expect(ended.stderr.toString()).toMatch(/^retry 1\/4 in 1\.0 s: .*HTTP 429.*\n$/);
  expect(seen(ended)).toEqual(succeeded("A whole answer.\n", [retryLine(1)]));
  const [first, second] = provider.requests.map(({ arrivedAt }) => Number(arrivedAt) / 1e6);
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(990);
});
