import { expect, test } from "vitest";
import type { ProviderType } from "../../src/config/config.ts";
import type { Part } from "../../src/protocol/message.ts";
import type { ModelCall } from "../../src/provider/language-model.ts";
import { collect, failureOf, HI, loopback, open } from "./loopback.ts";

const PNG = "iVBORw0KGgo=";

const withFile = (path: string, mimeType: string): ModelCall => ({
  ...HI,
  messages: HI.messages.map((message) => ({
    ...message,
    parts: [...message.parts, { type: "binary", path, mimeType, data: PNG } satisfies Part],
  })),
});

/** The request that a model makes, whatever becomes of it. */
async function asked(type: ProviderType, call: ModelCall): Promise<string> {
  await using server = await loopback((response) => {
    response.writeHead(418).end();
  });
  await failureOf(open(type, server.url).then(async (model) => await collect(model, call)));
  return JSON.stringify(server.asked[0]?.body ?? null);
}

const FAMILIES = [
  "openai",
  "openai-responses",
  "openai-compat",
  "openrouter",
  "anthropic",
  "google",
] as const;

test.each(FAMILIES)("images and documents reach %s beside the prompt's text", async (type) => {
  for (const [name, mimeType] of [
    ["a.png", "image/png"],
    ["a.pdf", "application/pdf"],
  ] as const) {
    const body = await asked(type, withFile(name, mimeType));
    expect(body).toContain('"hi"');
    expect(body).toContain(PNG);
    expect(body).toContain(mimeType);
  }
});

test.each(FAMILIES)(
  "a file that no API has a form for is named to %s, and refuses nothing",
  async (type) => {
    const body = await asked(type, withFile("/p/a.zip", "application/zip"));
    expect(body).toMatch(/\/p\/a\.zip.*application\/zip: cannot be shown/);
    expect(body).not.toContain(PNG);
  },
);
