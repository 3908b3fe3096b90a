import { expect, test } from "vitest";
import { crushPlace } from "../support/crush.ts";
import { failed, seen, STATUS, titled, type Tried } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";

interface Story {
  readonly script: FakeStep;
  readonly args?: readonly string[];
  readonly reason: Tried;
  readonly status: string;
  readonly exit: string;
  /** What stands below the head. */
  readonly text: string;
}

test.each(
  titled<Story>({
    completed: {
      script: { text: "A whole answer.", usage: { input: 30, cached: 10, output: 5 } },
      reason: "end_turn",
      status: "completed",
      exit: "0",
      text: "its answer:\nA whole answer.\n",
    },
    failed: {
      script: { status: 401 },
      reason: "auth_refused",
      status: "failed",
      exit: "4",
      text: "",
    },
    "cut off": {
      script: { text: "Half an answer", finish: "length" },
      reason: "output_tokens",
      status: "limited",
      exit: "6",
      text: "what it said until then:\nHalf an answer\n",
    },
    "timed out": {
      script: { text: "Half an answer", silenceAfter: 3 },
      args: ["--idle-timeout", "1s"],
      reason: "idle_timeout",
      status: "timed_out",
      exit: "124 (may be tried again)",
      text: "what it said until then:\nHalf an answer\n",
    },
  }),
)("crush show tells of a run that %s what its exit status told", async (_, story) => {
  const { script, args = [], reason, status, exit, text } = story;
  await using provider = await startFakeProvider(script);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "-v", ...args, "What is", "this?"]);
  expect(ended.status).toBe(STATUS[reason]);
  const [, runId = "", session] =
    /^run (\S+) in session (\S+) with fake\/model$/m.exec(ended.stderr.toString()) ?? [];

  const shown = await place.run(["show", runId]);
  expect([shown.status, shown.stderr.toString()]).toEqual([0, ""]);
  const [head = "", below = ""] = shown.stdout.toString().split("\n\n");
  const rows = Object.fromEntries(
    head
      .split("\n")
      .map((line): [string, string] => [line.slice(0, 9).trim(), line.slice(10).trim()]),
  );
  expect(rows).toMatchObject({
    run: runId,
    session,
    state: "settled",
    status,
    reason,
    exit,
    model: "fake/model",
    prompt: "What is this?",
  });
  expect(below).toBe(text);
  // The same sentence as on stderr.
  const error = /^error: (.*) \(\w+\); (.*)$/m.exec(ended.stderr.toString());
  expect([rows["error"], rows["remedy"]]).toEqual([error?.[1], error?.[2]]);
});

test("crush show of an id that nobody gave is refused", async () => {
  await using place = crushPlace();
  const ended = await place.run(["show", "00000000-0000-4000-8000-000000000000"]);
  expect(seen(ended)).toEqual(failed("unknown_run", { says: "--data-dir" }));
});

test("what a stranger wrote into a prompt or an answer moves no terminal, in a pipe either", async () => {
  const hostile = "\u001b[2J\u001b]52;c;AAAA\u0007look\rover\u202e there";
  await using provider = await startFakeProvider({ text: `\u001b]0;title\u0007done\u001b[1m` });
  await using place = crushPlace({ provider });
  expect((await place.run(["run", "--run-id", "one", hostile])).status).toBe(0);
  const listed = (await place.run(["runs"])).stdout.toString();
  const shown = (await place.run(["show", "one"])).stdout.toString();
  expect(listed).toMatch(/^one .* look over there\n$/);
  expect(shown).toContain("prompt    look over there\n\nits answer:\ndone\n");
  expect(`${listed}${shown}`).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
});
