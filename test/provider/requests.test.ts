import { expect, test, vi } from "vitest";
import type { ProviderType, SelectedModel } from "../../src/config/config.ts";
import type { Message, Part, Role } from "../../src/protocol/message.ts";
import type { ModelCall } from "../../src/provider/language-model.ts";
import {
  HI,
  chatFinish,
  chatText,
  collect,
  failureOf,
  loopback,
  open,
  sendEvents,
} from "./loopback.ts";

/** The request that a model makes, whatever becomes of it. */
async function request(
  type: ProviderType,
  overrides: Parameters<typeof open>[2],
  path = "",
  call: ModelCall = HI,
): Promise<{ url: string; headers: Record<string, unknown>; body: Record<string, unknown> }> {
  await using server = await loopback((response) => {
    response.writeHead(418).end();
  });
  await failureOf(open(type, server.url + path, overrides).then((model) => collect(model, call)));
  const [asked] = server.asked;
  if (asked === undefined) throw new Error("no request was made");
  return asked;
}

const asMessage = (role: Role, parts: readonly Part[]): Message => ({
  id: "id" as Message["id"],
  sessionId: "s" as Message["sessionId"],
  role,
  parts,
  model: "",
  provider: "",
  createdAt: 0,
  updatedAt: 0,
});

const reasoning = (id: string, more: Partial<Omit<SelectedModel, "provider" | "model">> = {}) => ({
  model: { id, canReason: true },
  ...more,
});

test("extra_headers and extra_body reach the request; the body's win over ours", async () => {
  const { headers, body } = await request("openai-compat", {
    temperature: 1,
    provider: { extraHeaders: { "X-Team": "a" }, extraBody: { temperature: 0, top_n: [1] } },
  });
  expect(headers["x-team"]).toBe("a");
  expect(body).toMatchObject({ temperature: 0, top_n: [1], model: "some-model" });
});

test("a provider without a key gets no authorization at all", async () => {
  for (const type of ["openai", "openai-compat", "openrouter", "anthropic", "google"] as const) {
    const { headers } = await request(type, { provider: { apiKey: null } });
    for (const name of ["authorization", "x-api-key", "x-goog-api-key"])
      expect(headers).not.toHaveProperty(name);
  }
});

test("the sampling parameters and the limit reach a chat request", async () => {
  const { body } = await request("openai-compat", {
    maxTokens: 77,
    temperature: 0.1,
    topP: 0.2,
    frequencyPenalty: 0.3,
    presencePenalty: 0.4,
  });
  expect(body).toMatchObject({
    max_tokens: 77,
    temperature: 0.1,
    top_p: 0.2,
    frequency_penalty: 0.3,
    presence_penalty: 0.4,
  });
});

test("a limit of the catalogue that leaves no room for a prompt is not asked for; one of the user is", async () => {
  const model = { defaultMaxTokens: 8192, contextWindow: 8192 };
  expect((await request("openai-compat", { model })).body).not.toHaveProperty("max_tokens");
  const chosen = await request("openai-compat", { model, maxTokens: 8000 });
  expect(chosen.body["max_tokens"]).toBe(8000);
  const room = await request("openai-compat", { model: { ...model, contextWindow: 100_000 } });
  expect(room.body["max_tokens"]).toBe(8192);
});

test.each([
  ["groq", "", [undefined, undefined]],
  ["mistral", "", [undefined, undefined]],
  ["deepseek", "", ["old", "new"]],
  ["lmstudio", "", [undefined, "new"]],
])("%s%s gets back of the reasoning what it takes", async (id, path, expected) => {
  const said = (thinking: string, callId: string): Message[] => [
    asMessage("assistant", [
      { type: "reasoning", thinking },
      { type: "tool_call", id: callId, name: "ls", input: "{}", finished: true },
    ]),
  ];
  const messages = [
    asMessage("user", [{ type: "text", text: "a" }]),
    ...said("old", "call00001"),
    asMessage("user", [{ type: "text", text: "b" }]),
    ...said("new", "call00002"),
  ];
  const { body } = await request("openai-compat", { provider: { id } }, path, {
    ...HI,
    messages,
  });
  const sent = body["messages"] as { role: string; reasoning_content?: string }[];
  expect(
    sent.filter(({ role }) => role === "assistant").map((one) => one.reasoning_content),
  ).toEqual(expected);
});

test("room to think is within the limit of a model, also of one that the SDK does not know", async () => {
  const model = { id: "claude-9000", canReason: true, defaultMaxTokens: 64_000 };
  const { body } = await request("anthropic", { model, reasoningEffort: "high" });
  expect(body).toMatchObject({ max_tokens: 64_000, thinking: { budget_tokens: 24_576 } });
});

test("Anthropic is always told a limit, and top_k", async () => {
  expect((await request("anthropic", { topK: 5 })).body).toMatchObject({
    max_tokens: 1000,
    top_k: 5,
  });
  const unlimited = await request("anthropic", { model: { defaultMaxTokens: null } });
  expect(unlimited.body["max_tokens"]).toBeGreaterThan(0);
});

test.each([
  ["openai", reasoning("o9"), { reasoning_effort: "high", max_completion_tokens: 1000 }],
  ["openai-responses", reasoning("o9"), { reasoning: { effort: "high" }, store: false }],
  ["openai-compat", reasoning("r1"), { reasoning_effort: "high" }],
  ["openrouter", reasoning("r1"), { reasoning: { effort: "high" }, usage: { include: true } }],
  ["anthropic", reasoning("claude-sonnet-4-5"), { thinking: { budget_tokens: 24_576 } }],
  ["anthropic", reasoning("claude-opus-4-6"), { thinking: { type: "adaptive" } }],
  [
    "google",
    reasoning("gemini-2.5-pro"),
    { generationConfig: { thinkingConfig: { thinkingBudget: 24_576 } } },
  ],
  [
    "google",
    reasoning("gemini-3-pro"),
    { generationConfig: { thinkingConfig: { thinkingLevel: "high" } } },
  ],
] as const)("%s is told of the reasoning effort in its own way (%j)", async (type, model, body) => {
  expect((await request(type, { ...model, reasoningEffort: "high" })).body).toMatchObject(body);
});

test("provider_options are taken flat and under the adapter's key, the model's over the provider's", async () => {
  const { body } = await request("openai", {
    provider: { providerOptions: { user: "provider", serviceTier: "auto" } },
    providerOptions: { openai: { user: "model" } },
  });
  expect(body).toMatchObject({ user: "model", service_tier: "auto" });
});

test("provider_options that the adapter does not take are a mistake in the configuration", async () => {
  await using server = await loopback((response) => response.end());
  const model = await open("openai", server.url, { providerOptions: { serviceTier: "golden" } });
  expect(await failureOf(collect(model))).toMatchObject({
    retryable: false,
    failure: { reason: "invalid_config" },
  });
  expect(server.asked).toEqual([]);
});

test.each([
  ["anthropic", "", "/v1/messages"],
  ["anthropic", "/v1", "/v1/messages"],
  ["anthropic", "/proxy/v2", "/proxy/v2/messages"],
  ["google", "", "/v1beta/models/some-model:streamGenerateContent?alt=sse"],
  ["google", "/v1", "/v1/models/some-model:streamGenerateContent?alt=sse"],
  ["openai", "/v1", "/v1/chat/completions"],
] as const)("%s at base_url %j asks %s", async (type, path, url) => {
  expect((await request(type, {}, path)).url).toBe(url);
});

test("no adapter writes to stdout or stderr, not even warnings", async () => {
  const written: unknown[] = [];
  const keep = (text: unknown): boolean => written.push(text) > 0;
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(keep),
    vi.spyOn(process.stderr, "write").mockImplementation(keep),
    ...(["log", "info", "warn", "error"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(keep),
    ),
  ];
  try {
    await using server = await loopback((response) =>
      sendEvents(response, [chatText("a"), chatFinish("stop"), "[DONE]"]),
    );
    // top_k and a temperature for a reasoning model: both draw a warning.
    const model = await open("openai", server.url, { ...reasoning("o3"), topK: 3, temperature: 1 });
    expect((await collect(model)).at(-1)).toMatchObject({ reason: "end_turn" });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect(written).toEqual([]);
});
