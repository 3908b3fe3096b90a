import { expect, test } from "vitest";
import { bareHost, basicAuthorization, userOf } from "../../src/net/url-parts.ts";

test("user and password of a URL become its authorization, percent signs decoded", () => {
  expect(basicAuthorization(new URL("http://me:p%40ss@proxy:1"))).toBe(
    `Basic ${Buffer.from("me:p@ss").toString("base64")}`,
  );
  expect(basicAuthorization(new URL("http://proxy:1"))).toBeNull();
});

test("a password with a bare percent sign is taken as it stands", () => {
  expect(userOf(new URL("http://me:100%@proxy:1"))).toBe("me:100%");
});

test("an IPv6 address loses its brackets, other hosts stay", () => {
  expect(bareHost(new URL("http://[::1]:80/"))).toBe("::1");
  expect(bareHost(new URL("http://a.test/"))).toBe("a.test");
});
