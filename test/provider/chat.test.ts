import { expect, test } from "vitest";
import { HI, chatFinish, chatText, collect, loopback, open, sendEvents } from "./loopback.ts";

const USAGE = {
  ...chatText(""),
  choices: [],
  usage: {
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 15,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  },
};

const call = (index: number, id: string | undefined, name: string | undefined, args: string) => ({
  ...chatText(""),
  choices: [
    {
      index: 0,
      delta: {
        tool_calls: [
          {
            index,
            ...(id === undefined ? {} : { id, type: "function" }),
            function: { ...(name === undefined ? {} : { name }), arguments: args },
          },
        ],
      },
      finish_reason: null,
    },
  ],
});

const FINISHED = {
  type: "finish",
  reason: "end_turn",
  usage: { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 2 },
};

test.each(["openai", "openai-compat", "openrouter"] as const)(
  "%s: text, finish reason and usage arrive, from exactly one request",
  async (type) => {
    await using server = await loopback((response) =>
      sendEvents(response, [chatText("Hel"), chatText("lo"), chatFinish("stop"), USAGE, "[DONE]"]),
    );
    const model = await open(type, server.url, { temperature: 0.5 });
    expect(model.ref).toBe("acme/some-model");
    expect(await collect(model)).toEqual([{ type: "text", text: "Hello" }, FINISHED]);
    expect(server.asked).toHaveLength(1);
    const [asked] = server.asked;
    expect(asked?.url).toBe("/chat/completions");
    expect(asked?.headers.authorization).toBe("Bearer sk-very-secret-key");
    expect(asked?.headers["accept-encoding"]).toBe("identity");
    expect(asked?.body).toMatchObject({
      model: "some-model",
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 1000,
      temperature: 0.5,
      messages: [{ role: "system" }, { role: "user" }],
      tools: [{ type: "function", function: { name: "view" } }],
    });
  },
);

test.each(["openai", "openai-compat", "openrouter"] as const)(
  "%s: parallel tool calls are put together from their pieces",
  async (type) => {
    await using server = await loopback((response) =>
      sendEvents(response, [
        call(0, "a", "view", ""),
        call(0, undefined, undefined, '{"pa'),
        call(0, undefined, undefined, 'th":'),
        call(0, undefined, undefined, '"x"}'),
        call(1, "b", "view", '{"path":"y"}'),
        chatFinish("tool_calls"),
        USAGE,
        "[DONE]",
      ]),
    );
    const parts = await collect(await open(type, server.url), HI);
    expect(parts.map(({ type: kind, ...part }) => ({ kind, ...part }))).toMatchObject([
      { kind: "tool_call", id: "a", name: "view", input: '{"path":"x"}' },
      { kind: "tool_call", id: "b", name: "view", input: '{"path":"y"}' },
      { kind: "finish", reason: "tool_use" },
    ]);
  },
);
