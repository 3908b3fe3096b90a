import { expect, test } from "vitest";
import { configurationOf, crushPlace, type CrushOptions } from "../support/crush.ts";
import { failed, seen, succeeded, titled, type Tried } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";

/** Says something and makes a note of it in a file; 100 tokens in, 10 out. */
const notes = (n: number, calls = 1): FakeStep => ({
  text: `Step ${n}.`,
  usage: { input: 100, output: 10 },
  toolCalls: Array.from({ length: calls }, (_, i) => ({
    id: `c${n}-${i}`,
    name: "write",
    input: { file_path: `note-${n}-${i}`, content: "x" },
  })),
});
const DONE: FakeStep = { text: "Done.", usage: { input: 100, output: 10 } };

/** With the prices of the one model: a step of `notes` is 0.0002 US dollars. */
function priced(url: string): object {
  const { providers, ...rest } = configurationOf({ url });
  const model = { id: "model", name: "Fake", cost_per_1m_in: 1, cost_per_1m_out: 10 };
  return { providers: { fake: { ...providers?.fake, models: [model] } }, ...rest };
}

interface Limited {
  readonly script: readonly FakeStep[];
  readonly args?: readonly string[];
  readonly env?: CrushOptions["env"];
  readonly reason: Tried;
  /** Model calls that are made. */
  readonly requests: number;
  readonly stdout: string;
  readonly says: string;
  readonly warns?: string;
}

test.concurrent.each(
  titled<Limited>({
    "--max-turns": {
      script: [notes(1), notes(2), DONE],
      args: ["--max-turns", "2"],
      reason: "turns",
      requests: 2,
      stdout: "Step 2.\n",
      says: "2 of 2 turns (--max-turns)",
    },
    "--max-tool-calls": {
      script: [notes(1), notes(2, 2), DONE],
      args: ["--max-tool-calls", "2"],
      reason: "tool_calls",
      requests: 2,
      stdout: "Step 2.\n",
      says: "more than 2 tool calls (--max-tool-calls)",
    },
    "--max-tokens": {
      script: [notes(1), notes(2), DONE],
      args: ["--max-tokens", "130"],
      reason: "tokens",
      requests: 2,
      stdout: "Step 2.\n",
      says: "220 of 130 tokens (--max-tokens)",
      warns: "110 of 130 tokens (--max-tokens)",
    },
    "--max-cost": {
      script: [notes(1), notes(2), DONE],
      args: ["--max-cost", "0.0004"],
      reason: "cost",
      requests: 2,
      stdout: "Step 2.\n",
      says: "0.0004 of 0.0004 US dollars (--max-cost)",
    },
    CRUSH_RUN_MAX_TURNS: {
      script: [notes(1), DONE],
      env: { CRUSH_RUN_MAX_TURNS: "1" },
      reason: "turns",
      requests: 1,
      stdout: "Step 1.\n",
      says: "1 of 1 turn (--max-turns)",
    },
    CRUSH_RUN_MAX_TOOL_CALLS: {
      script: [notes(1, 2), DONE],
      env: { CRUSH_RUN_MAX_TOOL_CALLS: "1" },
      reason: "tool_calls",
      requests: 1,
      stdout: "Step 1.\n",
      says: "more than 1 tool call (--max-tool-calls)",
    },
    CRUSH_RUN_MAX_TOKENS: {
      script: [notes(1), DONE],
      env: { CRUSH_RUN_MAX_TOKENS: "110" },
      reason: "tokens",
      requests: 1,
      stdout: "Step 1.\n",
      says: "110 of 110 tokens (--max-tokens)",
    },
    CRUSH_RUN_MAX_COST: {
      script: [notes(1), DONE],
      env: { CRUSH_RUN_MAX_COST: "0.0001" },
      reason: "cost",
      requests: 1,
      stdout: "Step 1.\n",
      says: "0.0002 of 0.0001 US dollars (--max-cost)",
    },
  }),
)("%s ends the run with what it said until then", async (_, one) => {
  const { script, args = [], env = {}, reason, requests, says, stdout, warns } = one;
  await using provider = await startFakeProvider(script);
  await using place = crushPlace({ configuration: priced(provider.url) });
  const ended = await place.run(["run", ...args, "hi"], { env });
  const before = warns === undefined ? [] : [`warning: the run has used ${warns}`];
  expect(seen(ended)).toEqual(failed(reason, { says, stdout, before }));
  expect(provider.requests.length).toBe(requests);
});

test("what the limits allow is used, and the session of a limited run goes on", async () => {
  await using provider = await startFakeProvider([notes(1), notes(2), DONE, DONE]);
  await using place = crushPlace({ configuration: priced(provider.url) });
  const limited = await place.run(["run", "--max-turns", "2", "hi"]);
  expect(seen(limited)).toMatchObject({ status: 6 });
  const all = ["--max-turns=1", "--max-tool-calls=1", "--max-tokens=1", "--max-cost=0.0001"];
  const ended = await place.run(["run", ...all, "--continue", "go on"]);
  expect(seen(ended)).toEqual(succeeded("Done.\n"));
  expect(JSON.stringify(provider.requests.at(-1)?.body)).toContain("go on");
});

test("a deadline that fires while the last allowed turn has its tools run is the end, not the limit", async () => {
  const sleeps = { id: "c", name: "bash", input: { command: "sleep 30" } };
  await using provider = await startFakeProvider([{ text: "Asleep.", toolCalls: [sleeps] }, DONE]);
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", "--max-turns", "1", "--timeout", "1500ms", "hi"]);
  expect(seen(ended)).toEqual(failed("timeout", { stdout: "Asleep.\n", says: "time limit" }));
});

test("--max-cost for a model whose prices are not known is refused before anything is sent", async () => {
  await using provider = await startFakeProvider(DONE);
  await using place = crushPlace({ provider });
  const refused = await place.run(["run", "--max-cost", "1", "hi"]);
  expect(seen(refused)).toEqual(failed("usage", { says: "those of fake/model are not known" }));
  expect(refused.stderr.toString()).toContain("cost_per_1m_in");
  expect(provider.requests.length).toBe(0);
  expect(seen(await place.run(["run", "--max-cost", "0", "hi"]))).toEqual(succeeded("Done.\n"));
});
