import { describe, expect, test } from "vitest";
import type { AskedParameters, ProviderType } from "../../src/config/config.ts";
import { failureOf as reasonOf } from "../../src/protocol/failure-of.ts";
import { withAsked } from "../../src/provider/asked-parameters.ts";
import { openModel } from "../../src/provider/open-model.ts";
import { HI, collect, failureOf, loopback, selectedModel } from "./loopback.ts";

type Overrides = Parameters<typeof selectedModel>[2];

/** What a model that is asked for this sends, if anything, and how its call fails. */
async function sent(type: ProviderType, overrides: Overrides, asked: AskedParameters) {
  await using server = await loopback((response) => {
    response.writeHead(418).end();
  });
  const selected = withAsked(selectedModel(type, server.url, overrides), asked);
  const model = await openModel(selected, { env: {}, sessionId: "s", workingDirectory: "/" });
  const failure = reasonOf(await failureOf(collect(model, HI)));
  return { bodies: server.asked.map(({ body }) => body), failure };
}

const reasons = (id: string): Overrides => ({ model: { id, canReason: true } });

describe("the effort that a run asks for reaches the API in its own words", () => {
  test.each([
    ["openai", "gpt-5.4", "high", { reasoning_effort: "high" }],
    ["openai-responses", "gpt-5.4", "low", { reasoning: { effort: "low" } }],
    ["openai-compat", "r1", "max", { reasoning_effort: "max" }],
    ["openrouter", "r1", "minimal", { reasoning: { effort: "minimal" } }],
    ["anthropic", "claude-sonnet-4-5", "low", { thinking: { budget_tokens: 4096 } }],
    ["anthropic", "claude-opus-4-6", "max", { output_config: { effort: "max" } }],
    [
      "google",
      "gemini-2.5-pro",
      "none",
      { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
    ],
    [
      "google",
      "gemini-3-pro",
      "low",
      { generationConfig: { thinkingConfig: { thinkingLevel: "low" } } },
    ],
  ] as const)("%s, %s: %s", async (type, id, reasoningEffort, body) => {
    const { bodies } = await sent(type, reasons(id), { reasoningEffort });
    expect(bodies).toMatchObject([body]);
  });

  test("not to think at all is said to Anthropic by silence", async () => {
    const overrides = { ...reasons("claude-opus-4-6"), think: true };
    const { bodies } = await sent("anthropic", overrides, { reasoningEffort: "none" });
    expect(bodies.length).toBe(1);
    expect(bodies[0]).not.toHaveProperty("thinking");
  });
});

describe("the temperature that a run asks for reaches the API", () => {
  test.each([
    ["openai", { temperature: 0.25 }],
    ["openai-responses", { temperature: 0.25 }],
    ["openai-compat", { temperature: 0.25 }],
    ["openrouter", { temperature: 0.25 }],
    ["anthropic", { temperature: 0.25 }],
    ["google", { generationConfig: { temperature: 0.25 } }],
  ] as const)("%s", async (type, body) => {
    const { bodies } = await sent(type, {}, { temperature: 0.25 });
    expect(bodies).toMatchObject([body]);
  });
});

test("what a run asks for wins over all that the configuration says about it", async () => {
  const configured = {
    temperature: 1,
    reasoningEffort: "low",
    providerOptions: { openai: { reasoningEffort: "minimal", user: "ada" } },
  };
  const overrides: Overrides = {
    ...configured,
    model: { id: "r1", canReason: true },
    provider: {
      providerOptions: { reasoningEffort: "xhigh" },
      extraBody: { temperature: 2, reasoning_effort: "none", top_n: 1 },
    },
  };
  const asked = { reasoningEffort: "high", temperature: 0 } as const;
  const { bodies } = await sent("openai-compat", overrides, asked);
  expect(bodies).toMatchObject([{ reasoning_effort: "high", temperature: 0, top_n: 1 }]);
  const selected = withAsked(selectedModel("openai", null, overrides), asked);
  expect(selected.providerOptions).toEqual({ openai: { user: "ada" } });
});

describe("what a model cannot be asked for is refused before anything is sent", () => {
  const refusal = (type: ProviderType, overrides: Overrides, asked: AskedParameters) => {
    try {
      withAsked(selectedModel(type, null, overrides), asked);
    } catch (error) {
      return reasonOf(error);
    }
    throw new Error("expected a refusal");
  };

  test("an effort, of a model that does not reason", () => {
    const refused = refusal("openai", {}, { reasoningEffort: "low" });
    expect(refused).toMatchObject({
      reason: "usage",
      remedy: expect.stringContaining("can_reason") as string,
    });
    expect(refused.message).toContain("--reasoning-effort");
    expect(refused.message).toContain("acme/some-model");
  });

  test.each([
    ["anthropic", { id: "claude-opus-4-6" }, "minimal", "none, low, medium, high, xhigh, max"],
    ["google", { id: "gemini-3-pro" }, "max", "minimal, low, medium, high"],
    ["openai-compat", { id: "r1", reasoningLevels: ["low", "high"] }, "medium", "low, high"],
  ] as const)(
    "an effort that a model of %s has not: %j",
    (type, model, reasoningEffort, levels) => {
      const refused = refusal(type, { model: { ...model, canReason: true } }, { reasoningEffort });
      expect(refused).toMatchObject({ reason: "usage", remedy: `use one of ${levels}` });
      expect(refused.message).toContain(`--reasoning-effort is "${reasoningEffort}"`);
    },
  );

  test.each(["demo", "scripted"] as const)(
    "a temperature, of a model that is played (%s)",
    (type) => {
      expect(refusal(type, {}, { temperature: 1 }).message).toContain("--temperature");
    },
  );

  test.each([
    [
      "a temperature that OpenAI's reasoning models do not take",
      "openai",
      reasons("o3"),
      { temperature: 1 },
    ],
    ["one in its responses API", "openai-responses", reasons("o3"), { temperature: 1 }],
    ["one that is too high for Anthropic", "anthropic", {}, { temperature: 1.5 }],
    [
      "one while Anthropic's model thinks",
      "anthropic",
      reasons("claude-sonnet-4-5"),
      { temperature: 1, reasoningEffort: "high" },
    ],
    [
      "one of a model of Anthropic that takes none",
      "anthropic",
      { model: { id: "claude-opus-4-8" } },
      { temperature: 1 },
    ],
  ] as const)("%s", async (_, type, overrides, asked) => {
    const { bodies, failure } = await sent(type, overrides, asked);
    expect(bodies).toEqual([]);
    expect(failure).toMatchObject({ reason: "usage" });
    expect(failure.message).toContain(`--temperature ${asked.temperature}`);
  });

  test("an effort that the SDK would leave out", async () => {
    const { bodies, failure } = await sent("openai", reasons("gpt-6"), {
      reasoningEffort: "minimal",
    });
    expect(bodies).toEqual([]);
    expect(failure.message).toContain("--reasoning-effort minimal");
  });
});

test("what only the configuration asks for may still be left out", async () => {
  const selected = selectedModel("openai", null, { ...reasons("o3"), temperature: 1 });
  expect(withAsked(selected, {}).asked).toEqual({});
  const { bodies } = await sent("openai", { ...reasons("o3"), temperature: 1 }, {});
  expect(bodies.length).toBe(1);
});
