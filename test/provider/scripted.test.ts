import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Json } from "../../src/shared/json.ts";
import { collect, failureOf, open } from "./loopback.ts";

const directory = mkdtempSync(join(tmpdir(), "scripted-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function playing(script: Json) {
  const file = join(directory, "script.json");
  writeFileSync(file, JSON.stringify(script));
  return open("scripted", "", { providerOptions: { script: file } });
}

test("each call plays one step, the last one again and again", async () => {
  const model = await playing({
    steps: [
      [{ reasoning: "hm" }, { text: "a" }, { tool: "view", input: { path: "x" } }],
      [{ fail: "provider_unavailable", message: "busy", retry_after_ms: 7 }],
      [{ wait_ms: 1 }, { text: "b" }, { finish: "max_tokens" }],
    ],
  });
  expect(await collect(model)).toMatchObject([
    { type: "reasoning", text: "hm" },
    { type: "reasoning_end" },
    { type: "text", text: "a" },
    { type: "tool_call", name: "view", input: '{"path":"x"}' },
    { type: "finish", reason: "tool_use" },
  ]);
  expect(await failureOf(collect(model))).toMatchObject({
    retryable: true,
    retryAfterMs: 7,
    failure: { reason: "provider_unavailable", message: "acme: busy" },
  });
  for (let n = 0; n < 2; n += 1)
    expect(await collect(model)).toMatchObject([{ text: "b" }, { reason: "max_tokens" }]);
});

test("a wait ends with the abort and its reason", async () => {
  const model = await playing({ steps: [[{ wait_ms: 60_000 }]] });
  const controller = new AbortController();
  const calling = failureOf(collect(model, undefined, controller.signal));
  controller.abort("enough");
  expect(await calling).toBe("enough");
});

test.each([{}, { steps: [] }, { steps: [[{ sing: 1 }]] }])("%j is no script", async (script) => {
  expect(await failureOf(playing(script))).toMatchObject({
    retryable: false,
    failure: { reason: "invalid_config" },
  });
});
