import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CRUSH, crushPlace } from "../support/crush.ts";
import { examined, on } from "../support/examined.ts";

/** Where nothing listens. */
const NOBODY = { url: "http://127.0.0.1:9" };

const DEMO = ["-m", "demo/offline"];

describe("the machine", () => {
  test("programs that are missing are warnings: a run works without them", async () => {
    await using place = crushPlace();
    const bin = join(place.home, "bin");
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, "node"));
    writeFileSync(join(bin, "git"), "#!/bin/sh\nexit 1\n");
    chmodSync(join(bin, "git"), 0o755);
    const { status, findings } = await examined(place, DEMO, { env: { PATH: bin } });
    expect(status).toBe(0);
    expect(on(findings, "shell")[0]).toMatchObject({ state: "warning", remedy: "put sh on PATH" });
    expect(on(findings, "git")[0]?.state).toBe("note");
  });

  test("proxies and certificates that cannot be used are found before a request is", async () => {
    await using place = crushPlace({ provider: NOBODY });
    const env = {
      HTTPS_PROXY: "socks5://user:hidden@127.0.0.1:1080",
      HTTP_PROXY: "http://user:hidden@proxy.example.test:3128",
      SSL_CERT_FILE: "/no/such/file",
      NODE_EXTRA_CA_CERTS: "/no/such/other",
    };
    const { stdout, findings } = await examined(place, DEMO, { env });
    expect(on(findings, "network").map(({ state, text }) => `${state}: ${text}`)).toEqual([
      "warning: HTTPS_PROXY names a socks5 proxy",
      "ok: HTTP_PROXY sends requests through proxy.example.test:3128",
      "warning: servers on this machine, such as Ollama, are asked for through the proxy too",
      "warning: NODE_EXTRA_CA_CERTS: /no/such/other cannot be used (ENOENT)",
      "warning: SSL_CERT_FILE: /no/such/file cannot be used (ENOENT)",
    ]);
    expect(stdout).not.toContain("hidden");
    const needed = await examined(place, [], { env });
    expect([needed.status, on(needed.findings, "network")[0]?.state]).toEqual([1, "problem"]);
  });

  test("variables are checked as flags are, and one that is misspelt is found", async () => {
    await using place = crushPlace();
    const env = {
      CRUSH_RUN_MODLE: "x",
      CRUSH_RUN_TIMEOUT: "soon",
      CRUSH_RUN_MODEL: "demo/offline",
    };
    const { status, findings, stderr } = await examined(place, [], { env });
    expect(status).toBe(2);
    expect(on(findings, "variables").map(({ state, text }) => `${state}: ${text}`)).toEqual([
      "note: set here: CRUSH_RUN_MODEL, CRUSH_RUN_TIMEOUT",
      "warning: CRUSH_RUN_MODLE is no variable of crush run and does nothing",
      'problem: CRUSH_RUN_TIMEOUT is "soon", which is no duration',
    ]);
    expect(on(findings, "variables")[1]?.remedy).toBe("did you mean CRUSH_RUN_MODEL?");
    expect(stderr).toContain("(usage)");
  });

  test.each([
    ["a socket", { stdin: { text: "" } }, "a socket: "],
    ["the null device", {}, "a device such as /dev/null: "],
  ] as const)("standard input is told and not read: %s", async (_name, stdin, said) => {
    await using place = crushPlace();
    const { findings } = await examined(place, DEMO, stdin);
    expect(on(findings, "stdin")[0]?.text).toMatch(new RegExp(`^${said}`));
  });

  test("standard input that is closed is told", async () => {
    await using place = crushPlace();
    const { stdout } = spawnSync("sh", ["-c", '"$0" doctor -m demo/offline <&-', CRUSH], {
      env: { ...place.env },
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^- +stdin +(closed|a device)/m);
  });
});
