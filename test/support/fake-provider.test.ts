import { request as httpRequest } from "node:http";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import type { LanguageModelV3, LanguageModelV3StreamPart } from "@ai-sdk/provider";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { expect, test } from "vitest";
import { startFakeProvider } from "./fake-provider.ts";
import type { FakeScript } from "./fake-provider.ts";
import type { FakeStep } from "./fake-script.ts";

const apiKey = "k";
const models: Record<string, (url: string) => LanguageModelV3> = {
  chat: (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat("m"),
  responses: (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses("m"),
  anthropic: (url) => createAnthropic({ baseURL: `${url}/v1`, apiKey })("m"),
  gemini: (url) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })("m"),
  openrouter: (url) =>
    createOpenRouter({ baseURL: `${url}/api/v1`, apiKey }).chat("m", { usage: { include: true } }),
};

const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }];

async function parts(script: FakeScript, family: string): Promise<LanguageModelV3StreamPart[]> {
  await using provider = await startFakeProvider(script);
  const model = models[family]?.(provider.url);
  if (model === undefined) throw new Error(family);
  const { stream } = await model.doStream({ prompt });
  const seen: LanguageModelV3StreamPart[] = [];
  for await (const part of stream) seen.push(part);
  return seen;
}

const joined = (seen: readonly LanguageModelV3StreamPart[], type: string): string =>
  seen.map((part) => (part.type === type && "delta" in part ? part.delta : "")).join("");

const rich: FakeStep = {
  text: "Grüße aus 東京 🗼, 👩‍👩‍👧!",
  chunks: 9,
  reasoning: "let me think",
  toolCalls: [
    { id: "call_1", name: "ls", input: { path: "." } },
    { id: "call_2", name: "grep", input: { pattern: "ü" } },
  ],
  usage: { input: 100, cached: 40, output: 20, reasoning: 5 },
};

const forms: Record<string, FakeStep> = {
  "one packet per frame": {},
  "packets of 3 bytes, CRLF and comments": { splitBytes: 3, crlf: true, comments: true },
};

for (const family of Object.keys(models)) {
  for (const [form, how] of Object.entries(forms)) {
    test(`${family}: text, reasoning, tool calls and usage reach the SDK in ${form}`, async () => {
      const seen = await parts({ ...rich, ...how }, family);
      expect(seen.filter((part) => part.type === "error")).toEqual([]);
      expect(joined(seen, "text-delta")).toBe(rich.text);
      expect(joined(seen, "reasoning-delta")).toBe(family === "chat" ? "" : rich.reasoning);
      const calls = seen.filter((part) => part.type === "tool-call");
      expect(calls.map(({ toolName, input }) => [toolName, input])).toEqual([
        ["ls", '{"path":"."}'],
        ["grep", '{"pattern":"ü"}'],
      ]);
      const finish = seen.at(-1);
      expect(finish).toMatchObject({
        type: "finish",
        finishReason: { unified: "tool-calls" },
        usage: { inputTokens: { total: 100, cacheRead: 40 }, outputTokens: { total: 20 } },
      });
    });
  }

  test(`${family}: length, content filter and a plain stop are told apart`, async () => {
    const reasons = await Promise.all(
      (["length", "content_filter", "stop"] as const).map(async (finish) => {
        const last = (await parts({ text: "a", finish }, family)).at(-1);
        return last?.type === "finish" ? last.finishReason.unified : last?.type;
      }),
    );
    expect(reasons).toEqual(["length", "content-filter", "stop"]);
  });

  test(`${family}: the error event reaches the SDK as an error`, async () => {
    const seen = await parts({ text: "half", errorEvent: "it broke" }, family);
    const errors = seen.filter((part) => part.type === "error");
    expect(JSON.stringify(errors)).toContain("it broke");
  });
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly packets: readonly number[];
  /** The code with which the connection broke; null for a clean end; "open" when it never ended. */
  readonly broke: string | null;
}

const FINISHED = '"finish_reason":"stop"';

/** A bare client of the chat format. Stops waiting after `quietMs` without a byte. */
async function post(url: string, quietMs = 150): Promise<Reply> {
  return new Promise((resolve) => {
    const seen: Buffer[] = [];
    let head = { status: 0, type: "" };
    const end = (broke: string | null): void => {
      clearTimeout(quiet);
      resolve({
        ...head,
        body: Buffer.concat(seen).toString("utf8"),
        packets: seen.map((packet) => packet.length),
        broke,
      });
      request.destroy();
    };
    const quiet = setTimeout(end, quietMs, "open");
    const request = httpRequest(
      `${url}/v1/chat/completions`,
      { method: "POST", agent: false },
      (response) => {
        head = {
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
        };
        response.on("data", (packet: Buffer) => {
          seen.push(packet);
          quiet.refresh();
        });
        response.on("end", () => end(null));
        response.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "?"));
      },
    );
    request.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "?"));
    request.end(JSON.stringify({ model: "m", stream: true, messages: [] }));
  });
}

async function reply(step: FakeStep): Promise<Reply> {
  await using provider = await startFakeProvider(step);
  return await post(provider.url);
}

test("a status carries its headers and the error document of the family", async () => {
  const { status, body } = await reply({ status: 429, headers: { "retry-after": "1" } });
  expect(status).toBe(429);
  expect(JSON.parse(body)).toMatchObject({ error: { type: "rate_limit_error" } });
});

test("faults before the stream: reset, silence, a page, nothing", async () => {
  const [reset, silent, page, nothing] = await Promise.all([
    reply({ resetBeforeFirstByte: true }),
    reply({ neverHeaders: true }),
    reply({ html200: true }),
    reply({ emptyBody: true }),
  ]);
  expect(reset).toMatchObject({ status: 0, broke: "ECONNRESET" });
  expect(silent).toMatchObject({ status: 0, broke: "open" });
  expect(page).toMatchObject({ status: 200, broke: null });
  expect(page.type).toContain("text/html");
  expect(nothing).toMatchObject({ status: 200, body: "", broke: null });
  expect(nothing.type).toContain("text/event-stream");
});

test("faults inside the stream come after the content they were told to wait for", async () => {
  const abc = { text: "abc", chunks: 3 };
  const [reset, cut, silent] = await Promise.all([
    reply({ ...abc, resetAfter: 2 }),
    reply({ ...abc, cutAfter: 2 }),
    reply({ ...abc, silenceAfter: 2 }),
  ]);
  for (const { body } of [reset, cut, silent]) {
    expect(body).toContain('"content":"b"');
    expect(body).not.toContain('"content":"c"');
  }
  expect([reset.broke, cut.broke, silent.broke]).toEqual(["ECONNRESET", "ECONNRESET", "open"]);
});

test("faults at the end of the stream: no marker, half a line, broken JSON, an open socket", async () => {
  const [unmarked, truncated, broken, open] = await Promise.all([
    reply({ text: "abc", endWithoutFinish: true }),
    reply({ text: "abc", truncatedLine: true }),
    reply({ text: "abc", brokenJson: true }),
    reply({ text: "abc", neverClose: true }),
  ]);
  expect(unmarked.broke).toBeNull();
  expect(unmarked.body).toContain('"content":"c"');
  expect(unmarked.body).not.toContain('finish_reason":"');
  expect(truncated.broke).toBeNull();
  expect(truncated.body.endsWith("\n")).toBe(false);
  expect(broken.body).toContain('data: {"broken": "jso\n');
  expect(broken.body).toContain(FINISHED);
  expect(open.body).toContain("data: [DONE]");
  expect(open.broke).toBe("open");
});

test("packets are cut where the step says, and large answers arrive whole", async () => {
  const [small, big] = await Promise.all([
    reply({ text: "äöü", splitBytes: 7 }),
    reply({ text: "x".repeat(200_000), chunks: 2_000, write: "64k" }),
  ]);
  // A reader that comes late finds several at once.
  expect(small.packets.slice(0, -1).filter((size) => size % 7 !== 0)).toEqual([]);
  expect(small.body).toContain("data: [DONE]");
  expect(big.body.match(/"content":"x+"/g)).toHaveLength(2_000);
  expect(big.packets.length).toBeLessThan(100);
});

test("a pause holds the stream until the test lets go", async () => {
  let letGo = (): void => {};
  const until = new Promise<void>((resolve) => (letGo = resolve));
  const step = { text: "ab", chunks: 2, pause: { after: 1, until } };
  const held = await reply(step);
  expect(held.body).toContain('"content":"a"');
  expect(held.body).not.toContain('"content":"b"');
  letGo();
  expect((await reply(step)).body).toContain('"content":"b"');
});

test("requests are recorded, a list is walked, and a step too many is said", async () => {
  await using provider = await startFakeProvider([{ text: "one" }, { status: 500 }]);
  expect((await post(provider.url)).body).toContain(FINISHED);
  expect((await post(provider.url)).status).toBe(500);
  const third = await post(provider.url);
  expect([third.status, third.body]).toEqual([
    400,
    expect.stringContaining("no step for request 3"),
  ]);
  expect(provider.requests.map(({ index, method, path }) => [index, method, path])).toEqual(
    [0, 1, 2].map((index) => [index, "POST", "/v1/chat/completions"]),
  );
  const [first] = provider.requests;
  expect(first?.body).toEqual({ model: "m", stream: true, messages: [] });
  expect(first?.lastByteAt).toBeGreaterThan(first?.arrivedAt ?? 0n);
  await expect(provider.waitForRequest(4, 10)).rejects.toThrow("request 4 did not arrive");
});

test("a client that leaves early is noticed", async () => {
  await using provider = await startFakeProvider({ text: "abc", silenceAfter: 1 });
  await post(provider.url, 50);
  await expect.poll(() => provider.requests[0]?.clientLeft).toBe(true);
});
