import { getEventListeners, once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LanguageModelV3 } from "@ai-sdk/provider";
import { chatRule } from "../../src/provider/chat-rule.ts";
import { sdkModel } from "../../src/provider/sdk-model.ts";
import { deferred } from "../../src/shared/deferred.ts";
import {
  HI,
  SSE,
  chatText,
  collect,
  failureOf,
  framed,
  loopback,
  open,
  selectedModel,
} from "./loopback.ts";

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", onUnhandled);
});
afterEach(async () => {
  // One turn of the loop: rejections are reported after it.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", onUnhandled);
  if (unhandled.length > 0) throw new Error("a rejection was not handled", { cause: unhandled[0] });
});

const STAGES = {
  "before the headers": (_response: ServerResponse) => {},
  "before the first token": (response: ServerResponse) => {
    response.writeHead(200, SSE).flushHeaders();
  },
  "in the middle of the text": (response: ServerResponse) => {
    response.writeHead(200, SSE);
    response.write(framed([chatText("Hel"), chatText("lo")]));
  },
  "in the body of a refusal": (response: ServerResponse) => {
    response.writeHead(500, { "content-type": "application/json" });
    response.write("{");
  },
};

const REASONS = [
  new DOMException("This operation was aborted", "AbortError"),
  new Error("stopped by a person"),
  new DOMException("Timed out", "TimeoutError"),
  "a string",
  { kind: "an object" },
];

test.each(
  Object.entries(STAGES).flatMap(([stage, answer]) =>
    (["openai", "openai-compat", "anthropic"] as const).map(
      (type) => [type, stage, answer] as const,
    ),
  ),
)(
  "%s: an abort %s rejects with its own reason, at once, and closes the socket",
  async (type, _stage, answer) => {
    for (const reason of REASONS) {
      let closed: Promise<unknown> = Promise.resolve();
      const arrived = deferred();
      await using server = await loopback((response) => {
        closed = once(response, "close");
        answer(response);
        arrived.resolve();
      });
      const model = await open(type, server.url);
      const controller = new AbortController();
      const calling = failureOf(collect(model, undefined, controller.signal));
      await arrived.promise;
      await new Promise((resolve) => setTimeout(resolve, 5));
      const at = performance.now();
      controller.abort(reason);
      expect(await calling).toBe(reason);
      expect(performance.now() - at).toBeLessThan(500); // "at once" on a machine that has other work
      await closed;
    }
  },
);

const HANGING: Readonly<Record<string, LanguageModelV3["doStream"]>> = {
  "never opens": () => new Promise(() => {}),
  "opens and says nothing": () => Promise.resolve({ stream: new ReadableStream() }),
  "does not let itself be cancelled": () =>
    Promise.resolve({ stream: new ReadableStream({ cancel: () => new Promise(() => {}) }) }),
  "fails when cancelled": () =>
    Promise.resolve({
      stream: new ReadableStream({ cancel: () => Promise.reject(new Error("no")) }),
    }),
};

test.each(Object.entries(HANGING))(
  "an abort is prompt although the stream below %s",
  async (_what, doStream) => {
    const below = { specificationVersion: "v3", doStream } as unknown as LanguageModelV3;
    const family = {
      rule: chatRule,
      providerOptions: {},
      replaysReasoning: "turn" as const,
      cacheKey: null,
    };
    const client = { post: () => Promise.reject(new Error("not asked")) };
    const model = sdkModel(selectedModel("openai", null), { ...family, open: () => below }, client);
    const controller = new AbortController();
    const calling = failureOf(collect(model, undefined, controller.signal));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const at = performance.now();
    controller.abort("enough");
    expect(await calling).toBe("enough");
    expect(performance.now() - at).toBeLessThan(500); // "at once" on a machine that has other work
  },
);

test("an abort that came before the call sends nothing", async () => {
  await using server = await loopback((response) => response.end());
  const model = await open("openai-compat", server.url);
  const reason = new Error("too late");
  expect(await failureOf(collect(model, undefined, AbortSignal.abort(reason)))).toBe(reason);
  expect(server.asked).toEqual([]);
});

test("a reader that leaves in the middle closes the socket", async () => {
  let closed: Promise<unknown> = Promise.resolve();
  await using server = await loopback((response) => {
    closed = once(response, "close");
    response.writeHead(200, SSE);
    response.write(framed([chatText("Hello")]));
  });
  const model = await open("openai-compat", server.url);
  for await (const part of model.stream(HI, new AbortController().signal)) {
    expect(part).toEqual({ type: "text", text: "Hello" });
    break;
  }
  await closed;
});

test("nothing stays attached to the signal of a run", async () => {
  await using server = await loopback((response) => {
    response.writeHead(200, SSE);
    response.end(framed([chatText("Hi")]));
  });
  const model = await open("openai-compat", server.url);
  const { signal } = new AbortController();
  await failureOf(collect(model, undefined, signal));
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
