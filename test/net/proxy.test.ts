import { expect, test } from "vitest";
import { proxyFor } from "../../src/net/proxy.ts";

const via = (url: string, env: Record<string, string>): string | null =>
  proxyFor(new URL(url), env)?.href ?? null;

test("each scheme has its variable, and ALL_PROXY stands in for both", () => {
  const env = { HTTPS_PROXY: "http://s:1", HTTP_PROXY: "http://p:2" };
  expect(via("https://api.example", env)).toBe("http://s:1/");
  expect(via("http://api.example", env)).toBe("http://p:2/");
  expect(via("https://api.example", { ALL_PROXY: "http://a:3" })).toBe("http://a:3/");
  expect(via("https://api.example", { HTTP_PROXY: "http://p:2" })).toBeNull();
  expect(via("https://api.example", {})).toBeNull();
});

test("the lower-case name wins, an empty value is none, and a bare host is an http proxy", () => {
  expect(via("http://x", { http_proxy: "http://low:1", HTTP_PROXY: "http://up:1" })).toBe(
    "http://low:1/",
  );
  expect(via("http://x", { HTTP_PROXY: " " })).toBeNull();
  expect(via("http://x", { HTTP_PROXY: "cache:3128" })).toBe("http://cache:3128/");
});

test.each([
  ["https://api.example.com", "example.com", true],
  ["https://example.com", ".example.com", true],
  ["https://api.example.com", "*.example.com", true],
  ["https://API.Example.com", "EXAMPLE.COM", true],
  ["https://notexample.com", "example.com", false],
  ["https://example.com.evil", "example.com", false],
  ["https://anything", "*", true],
  ["https://a.b:8443", "b:8443", true],
  ["https://a.b:8443", "b:443", false],
  ["https://a.b", "b:443", true],
  ["http://127.0.0.1:99", "localhost, 127.0.0.1", true],
  ["http://127.0.0.1:99", "localhost", false],
  ["http://[::1]:99", "::1", true],
  ["http://[::1]:99", "[::1]:99", true],
  ["http://[::1]:99", "[::1]:98", false],
  ["http://x", "", false],
])("%s with NO_PROXY=%s is exempt: %s", (url, list, exempt) => {
  const env = { HTTP_PROXY: "http://p:1", HTTPS_PROXY: "http://p:1", NO_PROXY: list };
  expect(via(url, env) === null).toBe(exempt);
});
