import { expect, test } from "vitest";
import { configurationOf, crushPlace, FAMILIES, type WireFamily } from "../support/crush.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep, FakeUsage } from "../support/fake-script.ts";

// What the result says of turns, tokens and cost, beside what the provider put on its bill: every request that it answered to the end.

const PRICES = {
  cost_per_1m_in: 3,
  cost_per_1m_out: 15,
  /** Crush's names: read from the cache is `out_cached`. */
  cost_per_1m_out_cached: 0.3,
};
const WINDOW = 100_000;

type Used = Required<FakeUsage>;

/** Uneven numbers, so that no two sums meet by chance. */
const USED: readonly Used[] = [
  { input: 1_201, cached: 0, output: 83, reasoning: 0 },
  { input: 2_417, cached: 1_024, output: 311, reasoning: 199 },
  { input: 5_003, cached: 2_048, output: 7, reasoning: 0 },
];
/** Of a conversation that leaves too little of the window. */
const FILLS: Used = { input: 88_888, cached: 4_096, output: 1_313, reasoning: 5 };

const calls = (n: number, usage: FakeUsage): FakeStep => ({
  text: `Step ${n}.`,
  usage,
  toolCalls: [1, 2].map((which) => ({
    id: `call_${n}_${which}`,
    name: "write",
    input: { file_path: `note-${n}-${which}`, content: "x" },
  })),
});
const answers = (usage: FakeUsage): FakeStep => ({ text: "Done.", usage });

interface Bill {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_tokens: number;
}

const billOf = (used: readonly Used[]): Bill => {
  const sum = (of: (usage: Used) => number): number =>
    used.reduce((all, usage) => all + of(usage), 0);
  return {
    input_tokens: sum(({ input }) => input),
    cached_input_tokens: sum(({ cached }) => cached),
    output_tokens: sum(({ output }) => output),
    reasoning_tokens: sum(({ reasoning }) => reasoning),
  };
};

const dollarsOf = ({ input_tokens, cached_input_tokens, output_tokens }: Bill): number =>
  ((input_tokens - cached_input_tokens) * PRICES.cost_per_1m_in +
    cached_input_tokens * PRICES.cost_per_1m_out_cached +
    output_tokens * PRICES.cost_per_1m_out) /
  1_000_000;

interface Story {
  readonly script: readonly FakeStep[];
  readonly args?: readonly string[];
  /** Of the requests that were answered to the end. */
  readonly billed: readonly Used[];
  readonly turns: number;
  readonly toolCalls: number;
  readonly reason?: string;
}

const [first, second, third] = USED as [Used, Used, Used];

const STORIES: Readonly<Record<string, Story>> = {
  "several steps with tools": {
    script: [calls(1, first), calls(2, second), answers(third)],
    billed: [first, second, third],
    turns: 3,
    toolCalls: 4,
  },
  "a refused and a broken attempt, which nobody bills": {
    script: [{ status: 503 }, calls(1, first), { text: "Lost", cutAfter: 2 }, answers(second)],
    billed: [first, second],
    turns: 2,
    toolCalls: 2,
  },
  "a summary on the way": {
    script: [calls(1, FILLS), { text: "What was done.", usage: second }, answers(third)],
    billed: [FILLS, second, third],
    turns: 2,
    toolCalls: 2,
  },
  "a limit that was reached": {
    script: [calls(1, first), calls(2, second), answers(third)],
    args: ["--max-turns", "2"],
    billed: [first, second],
    turns: 2,
    toolCalls: 4,
    reason: "turns",
  },
};

function placeFor(url: string, family: WireFamily) {
  const { providers, ...rest } = configurationOf({ url, family });
  const model = { id: "model", context_window: WINDOW, can_reason: true, ...PRICES };
  const configuration = { providers: { fake: { ...providers?.fake, models: [model] } }, ...rest };
  return crushPlace({ configuration });
}

const CASES = FAMILIES.flatMap((family) =>
  Object.entries(STORIES).map(([title, story]) => [family, title, story] as const),
);

test.concurrent.each(CASES)("%s: %s: the result is the bill", async (family, _, story) => {
  await using provider = await startFakeProvider(story.script);
  await using place = placeFor(provider.url, family);
  const args = ["run", "--output", "json", ...(story.args ?? []), "go"];
  const { stdout } = await place.run(args, { withinMs: 30_000 });
  // Anthropic's API counts what is thought as output, and does not say how much of it that was.
  const tells = family === "anthropic" ? { reasoning_tokens: 0 } : {};
  const bill = { ...billOf(story.billed), ...tells };
  expect(JSON.parse(stdout.toString())).toMatchObject({
    reason: story.reason ?? "end_turn",
    usage: { ...bill, by_model: { "fake/model": bill } },
    cost_usd: expect.closeTo(dollarsOf(bill), 9) as unknown,
    turns: story.turns,
    tool_calls: story.toolCalls,
  });
  expect(provider.requests).toHaveLength(
    story.reason === undefined ? story.script.length : story.billed.length,
  );
});

test("each run has its own bill, and the session that of both", async () => {
  await using provider = await startFakeProvider([
    calls(1, first),
    answers(second),
    answers(third),
  ]);
  await using place = placeFor(provider.url, "chat");
  const costs: unknown[] = [];
  for (const args of [["one"], ["--continue", "two"]]) {
    const { stdout } = await place.run(["run", "--output", "json", ...args]);
    costs.push(JSON.parse(stdout.toString()));
  }
  expect(costs).toMatchObject([
    { usage: billOf([first, second]), turns: 2 },
    { usage: billOf([third]), turns: 1 },
  ]);
  const { stdout } = await place.run(["session", "last", "--json"]);
  const whole = billOf(USED);
  expect(JSON.parse(stdout.toString())).toMatchObject({
    meta: {
      prompt_tokens: whole.input_tokens,
      completion_tokens: whole.output_tokens,
      cost: expect.closeTo(dollarsOf(whole), 9) as unknown,
    },
  });
});
