import { describe, expect, test } from "vitest";
import { configurationOf, crushPlace, type WireFamily } from "../support/crush.ts";
import { failed, seen, succeeded, titled, type Tried } from "../support/ending-case.ts";
import { startFakeProvider, type FakeProvider } from "../support/fake-provider.ts";

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
