import { expect, test } from "vitest";
import { askCapabilities } from "../../src/client/capabilities.ts";
import { fakeServer } from "../support/fake-server.ts";
import { answer, fakeTransport } from "../support/fake-transport.ts";

const { signal } = new AbortController();

test("our server names its records of runs among what it can", async () => {
  await using server = fakeServer();
  const capabilities = await askCapabilities(server.transport, "http://crush.test", signal);
  expect(capabilities.has("run_resource")).toBe(true);
});

test("a server that names nothing beyond its version can nothing beyond it", async () => {
  const { transport, heard } = fakeTransport(() => answer(200, '{"version":"v0.90.0"}'));
  const capabilities = await askCapabilities(transport, "http://crush.test", signal);
  expect([...capabilities]).toEqual([]);
  expect(heard.map(({ url }) => url)).toEqual(["http://crush.test/v1/version"]);
});
