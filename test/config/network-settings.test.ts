import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { networkSettings } from "../../src/config/network-settings.ts";
import { CERTIFICATE } from "../support/certificate.ts";
import { tempDirectory } from "../support/tool-context.ts";

const told = (env: Readonly<Record<string, string>>): readonly string[] =>
  networkSettings(env).map(({ state, text }) => `${state}: ${text}`);

test("without proxies and certificates there is nothing to tell", () => {
  expect(told({})).toEqual([]);
  expect(told({ HTTPS_PROXY: " ", NO_PROXY: "*", SSL_CERT_FILE: "" })).toEqual([]);
});

test("a proxy is told by its host, without user and password; lower case wins", () => {
  const env = { https_proxy: "http://u:p@a.test:1", HTTPS_PROXY: "nonsense://", NO_PROXY: "a" };
  expect(told(env)).toEqual(["fine: https_proxy sends requests through a.test:1"]);
  expect(told({ ALL_PROXY: "b.test:2", NO_PROXY: "127.0.0.1" })).toEqual([
    "fine: ALL_PROXY sends requests through b.test:2",
  ]);
});

test("a proxy that is none, or of another kind, is broken", () => {
  expect(told({ HTTPS_PROXY: "socks5h://a:1" })).toEqual([
    "broken: HTTPS_PROXY names a socks5h proxy",
  ]);
  expect(told({ HTTPS_PROXY: "http://:::" })).toEqual([
    "broken: HTTPS_PROXY is no address of a proxy",
  ]);
});

test("servers on this machine behind a proxy are a surprise, unless they are exempt", () => {
  const [, surprise] = networkSettings({ HTTP_PROXY: "http://a:1" });
  expect(surprise).toMatchObject({
    state: "surprising",
    remedy: "add localhost,127.0.0.1 to NO_PROXY",
  });
  expect(told({ HTTP_PROXY: "http://a:1", NO_PROXY: "127.0.0.1" }).length).toBe(1);
});

test("certificates are counted, and a file that cannot be used is told", () => {
  using temp = tempDirectory();
  const two = join(temp.path, "two.pem");
  writeFileSync(two, `# ours\n${CERTIFICATE}${CERTIFICATE}`);
  const cut = join(temp.path, "cut.pem");
  writeFileSync(cut, CERTIFICATE.replace("MIIBmjCC", "AAAAAAAA"));
  const none = join(temp.path, "none.pem");
  writeFileSync(none, "hello");
  expect(told({ SSL_CERT_FILE: two })).toEqual([`fine: SSL_CERT_FILE: 2 in ${two}`]);
  expect(told({ SSL_CERT_FILE: cut })[0]).toMatch(/^broken: .*cannot be used/);
  expect(told({ SSL_CERT_FILE: none })).toEqual([
    `surprising: SSL_CERT_FILE: ${none} holds no certificate`,
  ]);
  expect(told({ SSL_CERT_FILE: temp.path })[0]).toMatch(/^broken: .*\(EISDIR\)/);
  expect(told({ NODE_EXTRA_CA_CERTS: "/no/such" })[0]).toMatch(/^surprising: .*\(ENOENT\)/);
});
