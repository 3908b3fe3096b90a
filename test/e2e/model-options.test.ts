import { describe, expect, test } from "vitest";
import { configurationOf, crushPlace, type WireFamily } from "../support/crush.ts";
import { failed, seen, succeeded, titled, type Tried } from "../support/ending-case.ts";
import { startFakeProvider, type FakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";

// What the model is told beside the prompt: parameters and system prompt.

/** One model that reasons and one that does not. */
function configured(url: string, family: WireFamily = "chat"): object {
  const { providers, models } = configurationOf({ url, family });
  const list = [
    { id: "model", name: "Fake", context_window: 100_000 },
    { id: "thinker", name: "Thinker", context_window: 100_000, can_reason: true },
  ];
  const large = { ...(models as { readonly large: object }).large, temperature: 1 };
  return { providers: { fake: { ...providers?.fake, models: list } }, models: { large } };
}

/** Runs `crush run … hi` against a provider that answers. */
async function asked(
  args: readonly string[],
  more: { readonly family?: WireFamily; readonly files?: Readonly<Record<string, string>> } = {},
) {
  await using provider: FakeProvider = await startFakeProvider({ text: "An answer." });
  await using place = crushPlace({ configuration: configured(provider.url, more.family) });
  for (const [name, content] of Object.entries(more.files ?? {})) place.write(name, content);
  const ended = await place.run(["run", ...args, "hi"], { withinMs: 15_000 });
  return { ended, bodies: provider.requests.map(({ body }) => JSON.stringify(body)) };
}

describe.concurrent("each API is told", () => {
  test.each(
    titled<readonly [WireFamily, string, string]>({
      "chat completions": ["chat", '"temperature":0.25', '"reasoning_effort":"low"'],
      "OpenAI's responses": ["responses", '"temperature":0.25', '"reasoning":{"effort":"low"'],
      "Anthropic's messages": ["anthropic", '"temperature":0.25', '"budget_tokens":4096'],
      Gemini: ["gemini", '"temperature":0.25', '"thinkingBudget":4096'],
    }),
  )("%s", async (_, [family, temperature, effort]) => {
    const texts = ["--system", "Be a poet.", "--append-system", "Answer in French."];
    const first = await asked(["--temperature=0.25", ...texts], { family });
    expect(seen(first.ended)).toEqual(succeeded("An answer.\n"));
    expect(first.bodies.length).toBe(1);
    expect(first.bodies[0]).toContain(temperature);
    expect(first.bodies[0]).toContain("Be a poet.\\n\\nAnswer in French.");
    const second = await asked(["-m", "fake/thinker", "--reasoning-effort", "low"], { family });
    expect(seen(second.ended)).toEqual(succeeded("An answer.\n"));
    expect(second.bodies[0]).toContain(effort);
  });
});

test("the same system prompt is the same bytes; files are found from where the command was started", async () => {
  const files = { "who.txt": "Be a poet.\n", "AGENTS.md": "Rhyme.\n" };
  const args = ["--system", "@who.txt", "--append-system", "@@home is best.\n"];
  const [one, two] = [await asked(args, { files }), await asked(args, { files })];
  expect(one.bodies[0]).toBe(two.bodies[0]);
  expect(one.bodies[0]).toContain('"content":"Be a poet.\\n\\n# What the user and the project ask');
  expect(one.bodies[0]).toContain("Rhyme.");
  expect(one.bodies[0]).toContain('\\n\\n@home is best."');
  expect(one.bodies[0]).not.toContain("You are the agent behind");
});

test.concurrent.each(
  titled<readonly [readonly string[], Tried, string]>({
    "an empty system prompt": [["--system", ""], "usage", "--system is empty"],
    "one given twice": [["--system", "a", "--system", "b"], "usage", "--system was given 2 times"],
    "a file that is not there": [["--system", "@gone"], "usage", "--system names gone"],
    "an empty addition": [["--append-system", " "], "usage", "--append-system is empty"],
    "a binary": [["--append-system", "@binary"], "usage", "--append-system names binary"],
    "an effort that there is not": [
      ["--reasoning-effort", "much"],
      "usage",
      '--reasoning-effort is "much"',
    ],
    "an effort of a model that does not reason": [
      ["--reasoning-effort", "low"],
      "usage",
      "--reasoning-effort is for models that reason",
    ],
    "a temperature that is none": [["--temperature", "hot"], "usage", '--temperature is "hot"'],
    "a temperature that is too high": [["--temperature", "2.1"], "usage", '--temperature is "2.1"'],
    "a temperature below zero": [["--temperature=-1"], "usage", '--temperature is "-1"'],
    "a temperature of a model that is played": [
      ["-m", "demo/offline", "--temperature", "1"],
      "usage",
      "--temperature",
    ],
  }),
)("%s is refused, and nothing is sent", async (_, [args, reason, says]) => {
  const { ended, bodies } = await asked(args, { files: { binary: "\0\u0001" } });
  expect(seen(ended)).toEqual(failed(reason, { says }));
  expect(bodies).toEqual([]);
});

test("a temperature that the API would not be told is refused before it is called", async () => {
  const args = ["-m", "fake/thinker", "--temperature", "1"];
  const { ended, bodies } = await asked(args, { family: "responses" });
  expect(seen(ended)).toEqual(
    failed("usage", { says: "fake/thinker does not take --temperature 1" }),
  );
  expect(bodies).toEqual([]);
});

test.concurrent.each(
  titled({
    "a provider with a letter wrong": "fkae/model",
    "a model with a letter wrong": "fake/modle",
    "a bare model with a letter wrong": "modle",
  }),
)("%s is refused with what may be meant", async (_, model) => {
  const { ended, bodies } = await asked(["-m", model]);
  expect(seen(ended)).toEqual(failed("unknown_model", { says: model }));
  expect(ended.stderr.toString()).toContain("did you mean fake/model");
  expect(bodies).toEqual([]);
});

describe("--small-model", () => {
  /** What fills the context of 100,000 tokens, so that a summary is due. */
  const FULL: FakeStep = { text: "An answer.", usage: { input: 90_000, output: 10 } };
  const NOTE: FakeStep = { text: "A note.", usage: { input: 500, output: 20 } };
  const modelsIn = (provider: FakeProvider): unknown[] =>
    provider.requests.map(({ body }) => (body as { readonly model: string }).model);

  function priced(url: string, little: object): object {
    const { providers, models } = configurationOf({ url });
    const prices = { cost_per_1m_in: 10, cost_per_1m_out: 100 };
    const list = [
      { id: "model", name: "Fake", context_window: 100_000, ...prices },
      { id: "little", name: "Little", context_window: 200_000, ...little },
    ];
    return { providers: { fake: { ...providers?.fake, models: list } }, models };
  }

  test("writes the summary of a conversation that fills the context, at its own price", async () => {
    await using provider = await startFakeProvider([FULL, NOTE, { text: "Another." }]);
    const little = { cost_per_1m_in: 1, cost_per_1m_out: 10 };
    await using place = crushPlace({ configuration: priced(provider.url, little) });
    const command = ["run", "--small-model", "fake/little", "--max-cost", "5", "--output", "json"];
    const { status, stdout } = await place.run([...command, "hi"]);
    expect([status, modelsIn(provider)]).toEqual([0, ["model", "little"]]);
    const none = { cached_input_tokens: 0, reasoning_tokens: 0 };
    const result = JSON.parse(stdout.toString()) as Record<string, unknown>;
    expect(result).toMatchObject({
      text: "An answer.",
      models: ["fake/model", "fake/little"],
      usage: {
        input_tokens: 90_500,
        output_tokens: 30,
        by_model: {
          "fake/model": { input_tokens: 90_000, output_tokens: 10, ...none },
          "fake/little": { input_tokens: 500, output_tokens: 20, ...none },
        },
      },
    });
    expect(result["cost_usd"]).toBeCloseTo(0.9 + 0.001 + 0.0005 + 0.0002, 9);
    // The session goes on with the model that answers, not with the one that sums up.
    await place.run(["run", "--continue", "go on"]);
    expect(modelsIn(provider)).toEqual(["model", "little", "model"]);
  });

  test("is not asked for anything else, and without it the model sums up itself", async () => {
    await using provider = await startFakeProvider([{ text: "Short." }, FULL, NOTE]);
    await using place = crushPlace({ configuration: priced(provider.url, {}) });
    await place.run(["run", "--small-model", "fake/little", "hi"]);
    await place.run(["run", "hi"]);
    expect(modelsIn(provider)).toEqual(["model", "model", "model"]);
  });

  test.each(
    titled<readonly [readonly string[], Tried, string]>({
      "one that there is not": [
        ["--small-model", "fake/litle"],
        "unknown_model",
        "--small-model: unknown model fake/litle",
      ],
      "one without prices, under --max-cost": [
        ["--small-model", "fake/little", "--max-cost", "1"],
        "usage",
        "--small-model: --max-cost needs prices, and those of fake/little",
      ],
    }),
  )("%s is refused, and nothing is sent", async (_, [args, reason, says]) => {
    await using provider = await startFakeProvider(FULL);
    await using place = crushPlace({ configuration: priced(provider.url, {}) });
    const ended = await place.run(["run", ...args, "hi"]);
    expect(seen(ended)).toEqual(failed(reason, { says }));
    expect(provider.requests.length).toBe(0);
  });
});
