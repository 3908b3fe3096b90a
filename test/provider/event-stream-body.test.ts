import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { HI, SSE, chatFinish, chatText, collect, framed, loopback, open } from "./loopback.ts";

const TEXT = 'Grüße, 世界 🌍 — «ok»\u2028\r\n\t"quoted"';
const PARTS = [TEXT.slice(0, 5), TEXT.slice(5, 12), TEXT.slice(12)];

const anthropicDelta = (index: number, text: string) => ({
  type: "content_block_delta",
  index,
  delta: { type: "text_delta", text },
});
const ANSWERS = {
  "openai-compat": framed([...PARTS.map(chatText), chatFinish("stop"), "[DONE]"]),
  "openai-responses": framed([
    { type: "response.created", response: { id: "r", created_at: 1, model: "m" } },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { id: "m1", type: "message", role: "assistant", content: [] },
    },
    ...PARTS.map((delta) => ({
      type: "response.output_text.delta",
      item_id: "m1",
      output_index: 0,
      content_index: 0,
      delta,
    })),
    {
      type: "response.completed",
      response: { id: "r", usage: { input_tokens: 1, output_tokens: 1 } },
    },
  ]),
  anthropic: framed([
    {
      type: "message_start",
      message: {
        id: "m",
        type: "message",
        role: "assistant",
        model: "m",
        content: [],
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...PARTS.map((text) => anthropicDelta(0, text)),
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 1 },
    },
    { type: "message_stop" },
  ]),
  google: framed([
    ...PARTS.map((text) => ({ candidates: [{ content: { role: "model", parts: [{ text }] } }] })),
    { candidates: [{ content: { role: "model", parts: [] }, finishReason: "STOP" }] },
  ]),
} as const;

/** Sends a few bytes at a time, one packet each. */
function trickle(response: ServerResponse, bytes: Buffer, size: number): void {
  response.writeHead(200, SSE);
  response.socket?.setNoDelay(true);
  const next = (from: number): void => {
    if (from >= bytes.length) {
      response.end();
      return;
    }
    response.write(bytes.subarray(from, from + size), () => setImmediate(next, from + size));
  };
  next(0);
}

const textOf = async (type: keyof typeof ANSWERS, bytes: Buffer, size: number): Promise<string> => {
  await using server = await loopback((response) => trickle(response, bytes, size));
  const parts = await collect(await open(type, server.url));
  expect(parts.at(-1)).toMatchObject({ type: "finish", reason: "end_turn" });
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
};

const types = Object.keys(ANSWERS) as (keyof typeof ANSWERS)[];

test.each(types)("%s: characters that are split across packets arrive whole", async (type) => {
  expect(await textOf(type, Buffer.from(ANSWERS[type]), 1)).toBe(TEXT);
  expect(await textOf(type, Buffer.from(ANSWERS[type]), 7)).toBe(TEXT);
});

test.each(types)("%s: CRLF, comments, and fields of other purpose do no harm", async (type) => {
  const lines = ANSWERS[type].replaceAll(
    "data: ",
    ": keep-alive\nid: 7\nevent: x\nretry: 5\ndata:",
  );
  const bytes = Buffer.from(lines.replaceAll("\n", "\r\n"));
  expect(await textOf(type, bytes, 5)).toBe(TEXT);
  expect(await textOf(type, bytes, bytes.length)).toBe(TEXT);
});

test.each(types)("%s: an event over several data lines is one event", async (type) => {
  const events = ANSWERS[type]
    .split("\n\n")
    .map((event) =>
      event.startsWith("data: {")
        ? `data: ${JSON.stringify(JSON.parse(event.slice(6)), null, 1).replaceAll("\n", "\ndata: ")}`
        : event,
    );
  expect(await textOf(type, Buffer.from(events.join("\n\n")), 1000)).toBe(TEXT);
});

test("a byte order mark does not cost the first event", async () => {
  const bytes = Buffer.from(`\uFEFF${ANSWERS["openai-compat"]}`);
  expect(await textOf("openai-compat", bytes, 1)).toBe(TEXT);
});

test("a last event without its blank line counts", async () => {
  const bytes = Buffer.from(ANSWERS["openai-compat"].trimEnd());
  expect(await textOf("openai-compat", bytes, 1000)).toBe(TEXT);
});

test("20,000 deltas, one write each, arrive as one text, order kept, in far fewer parts", async () => {
  const deltas = Array.from({ length: 20_000 }, (_each, n) => `${n} `);
  await using server = await loopback((response) => {
    response.writeHead(200, SSE);
    for (const delta of deltas) response.write(framed([chatText(delta)]));
    response.end(framed([chatFinish("stop"), "[DONE]"]));
  });
  const model = await open("openai-compat", server.url);
  let text = "";
  let count = 0;
  for await (const part of model.stream(HI, new AbortController().signal)) {
    count += 1;
    if (part.type === "text") text += part.text;
  }
  expect(text).toBe(deltas.join(""));
  expect(count).toBeLessThan(2000);
});

test("a slow reader holds the server back instead of filling memory", async () => {
  const chunk = framed([chatText("x".repeat(10_000))]);
  let written = 0;
  await using server = await loopback((response) => {
    response.writeHead(200, SSE);
    const write = (): void => {
      while (!response.destroyed && written < 40_000_000) {
        written += chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", write);
          return;
        }
      }
    };
    write();
  });
  const model = await open("openai-compat", server.url);
  for await (const part of model.stream(HI, new AbortController().signal)) {
    expect(part.type).toBe("text");
    // Until nothing has moved for a while: the sockets' own buffers are full.
    for (let before = -1; before !== written;) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    break;
  }
  expect(written).toBeLessThan(20_000_000);
});
