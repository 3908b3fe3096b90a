import { expect, test } from "vitest";
import { normalBaseUrl, ollamaUrl, openaiDialect } from "../../src/config/provider-type.ts";

test.each([
  [undefined, "http://127.0.0.1:11434/v1"],
  ["", "http://127.0.0.1:11434/v1"],
  ["0.0.0.0", "http://127.0.0.1:11434/v1"],
  [":8080", "http://127.0.0.1:8080/v1"],
  ["box", "http://box:11434/v1"],
  ["box:80", "http://box:80/v1"],
  ["http://box/", "http://box:80/v1"],
  ["https://box", "https://box:443/v1"],
  ["[::1]:99", "http://[::1]:99/v1"],
])("OLLAMA_HOST=%s is called at %s", (host, url) => {
  expect(ollamaUrl(host)).toBe(url);
});

test.each([
  ["https://x.test/v1/", "openai", "https://x.test/v1"],
  ["https://x.test", "openai-compat", "https://x.test"],
  ["https://x.test/", "anthropic", "https://x.test/v1"],
  ["https://x.test/v1", "anthropic", "https://x.test/v1"],
  ["https://x.test", "google", "https://x.test/v1beta"],
  ["https://x.test/v1alpha", "google", "https://x.test/v1alpha"],
  ["ftp://x.test", "openai", null],
  ["x.test/v1", "openai", null],
] as const)("base_url %s of %s becomes %s", (url, family, expected) => {
  expect(normalBaseUrl(url, family)).toBe(expected);
});

test("the public OpenAI endpoint is spoken to by responses, another one by chat, unless it is said", () => {
  expect(openaiDialect(null, undefined)).toBe("openai-responses");
  expect(openaiDialect("https://api.openai.com/v1", undefined)).toBe("openai-responses");
  expect(openaiDialect("https://api.openai.com/v1", false)).toBe("openai");
  expect(openaiDialect("http://127.0.0.1:1/v1", undefined)).toBe("openai");
  expect(openaiDialect("http://127.0.0.1:1/v1", true)).toBe("openai-responses");
});
