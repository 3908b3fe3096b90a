import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crushPlace, FAKE_KEY, type CrushPlace } from "../support/crush.ts";
import { examined, on } from "../support/examined.ts";
import { modelList, modelServer } from "../support/model-server.ts";

/** Where nothing listens. */
const NOBODY = { url: "http://127.0.0.1:9" };

const DEMO = ["-m", "demo/offline"];

describe("what it finds", () => {
  test("a place where a run works ends with 0, a line for each thing, and nothing left behind", async () => {
    await using place = crushPlace();
    const { status, stdout, stderr } = await place.run(["doctor", ...DEMO]);
    expect([status, stderr.toString()]).toEqual([0, ""]);
    const lines = stdout.toString().trimEnd().split("\n");
    for (const line of lines) expect(line).toMatch(/^(ok|-|warning) +[a-z]+ +\S/);
    for (const topic of [
      "program",
      "node",
      "stdin",
      "config",
      "model",
      "data",
      "disk",
      "locks",
      "store",
      "ripgrep",
      "shell",
      "git",
      "sandbox",
      "network",
      "terminal",
    ])
      expect([topic, lines.some((line) => line.split(/ +/)[1] === topic)]).toEqual([topic, true]);
    expect(stdout.toString()).toContain("demo/offline (asked for)");
    expect(readdirSync(place.work)).toEqual([]);
    expect(existsSync(join(place.home, ".local"))).toBe(false);
  });

  test("it says ok exactly where a run works, and ends as that run ends", async () => {
    await using server = await modelServer(modelList("model"));
    const asked = async (place: CrushPlace, ...args: readonly string[]) => {
      const { status, ok } = await examined(place, args);
      const { status: ofRun } = await place.run([
        "run",
        "--no-stdin",
        "--retries",
        "0",
        ...args,
        "hello",
      ]);
      return { status, ofRun, ok };
    };
    await using nothing = crushPlace();
    expect(await asked(nothing)).toEqual({ status: 4, ofRun: 4, ok: false });
    expect(await asked(nothing, ...DEMO)).toEqual({ status: 0, ofRun: 0, ok: true });
    expect(await asked(nothing, "-m", "demo/no-such")).toEqual({ status: 2, ofRun: 2, ok: false });
    await using broken = crushPlace({ configuration: "{" });
    expect(await asked(broken)).toEqual({ status: 2, ofRun: 2, ok: false });
    await using silent = crushPlace({ provider: NOBODY });
    expect(await asked(silent)).toEqual({ status: 5, ofRun: 5, ok: false });
    await using there = crushPlace({ provider: { url: server.url.replace(/\/v1$/, "") } });
    expect((await examined(there)).status).toBe(0);
  }, 120_000);

  test("every mistake of the configuration and every question of trust is a line with its remedy", async () => {
    await using place = crushPlace({ configuration: '{ "models": 1 }' });
    place.write("crush.json", '{ "env": { "PATH": "/x" } }');
    const { status, findings, stderr } = await examined(place);
    expect(status).toBe(2);
    expect(on(findings, "config")).toEqual([
      expect.objectContaining({
        state: "problem",
        reason: "invalid_config",
        remedy: "make models an object",
      }),
    ]);
    expect(on(findings, "trust")).toEqual([
      expect.objectContaining({
        state: "problem",
        remedy: expect.stringContaining("--trust-config"),
      }),
    ]);
    expect(stderr).toMatch(/^error: crush run would not work here: .*models must be an object/);
    expect(on(findings, "data").length).toBe(1);
  });

  test("providers are told by the name of their key's place, never by the key", async () => {
    await using place = crushPlace({ provider: NOBODY });
    const env = {
      OPENAI_API_KEY: "sk-live-000111222333444",
      CRUSH_GROQ_API_KEY: "gsk_000111222333",
    };
    const { stdout, findings } = await examined(place, DEMO, { env });
    const texts = on(findings, "provider").map(({ text }) => text);
    expect(texts).toContain("openai: key from OPENAI_API_KEY");
    expect(texts).toContain("groq: key from CRUSH_GROQ_API_KEY");
    expect(texts).toContain("fake: key from the configuration");
    expect(texts).toContainEqual(expect.stringMatching(/^without a key: anthropic, google/));
    for (const secret of ["000111222333", FAKE_KEY]) expect(stdout).not.toContain(secret);
  });

  test("a key command that fails is told as a run would tell it", async () => {
    const provider = {
      base_url: "http://127.0.0.1:9/v1",
      models: [{ id: "m" }],
      api_key: "$(exit 7)",
    };
    const models = { large: { provider: "p", model: "m" } };
    await using place = crushPlace({ configuration: { providers: { p: provider }, models } });
    const { status, findings } = await examined(place);
    expect(status).toBe(2);
    expect(on(findings, "model")[0]?.text).toMatch(/api_key cannot be expanded/);
  });
});

describe("requests", () => {
  test("without --online none leaves this machine; with it each usable provider is asked once", async () => {
    // A proxy stands for the way out: what leaves passes here.
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"data":[{"id":"a"},{"id":"b"}]}');
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = proxy.address() as AddressInfo;
      const env = { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: "127.0.0.1" };
      const far = {
        base_url: "http://models.example.test/v1",
        api_key: FAKE_KEY,
        models: [{ id: "m" }],
      };
      const lists = { base_url: "http://lists.example.test/v1" };
      await using place = crushPlace({ configuration: { providers: { far, lists } } });
      const offline = await examined(place, ["-m", "far/m"], { env });
      expect([offline.status, asked]).toEqual([0, []]);
      expect(on(offline.findings, "online")[0]?.text).toContain("no request has left this machine");
      const unknown = await examined(place, ["-m", "lists/a"], { env });
      expect([unknown.status, asked]).toEqual([0, []]);
      expect(on(unknown.findings, "model")[0]?.text).toContain("use --online");
      const online = await examined(place, ["--online", "-m", "lists/a"], { env });
      expect(online.status).toBe(0);
      expect([...asked].sort()).toEqual([
        "http://lists.example.test/v1/models",
        "http://models.example.test/v1/models",
      ]);
      expect(
        on(online.findings, "online")
          .map(({ text }) => text)
          .sort(),
      ).toEqual(["far answers and lists 2 models", "lists answers and lists 2 models"]);
      expect(on(online.findings, "model")[0]?.text).toBe("lists/a (asked for)");
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  test("a key that is refused ends it as it would end a run", async () => {
    await using server = await modelServer("", 401);
    await using place = crushPlace({ provider: { url: server.url.replace(/\/v1$/, "") } });
    const { status, findings, stdout } = await examined(place);
    expect(status).toBe(4);
    expect(on(findings, "server")[0]).toMatchObject({ state: "problem", reason: "auth_refused" });
    expect(stdout).not.toContain(FAKE_KEY);
  });

  test("an Ollama that runs is the model of a place without keys", async () => {
    await using server = await modelServer(modelList("qwen3:latest"));
    await using place = crushPlace();
    const env = { OLLAMA_HOST: new URL(server.url).host };
    const { status, findings } = await examined(place, [], { env });
    expect(status).toBe(0);
    expect(on(findings, "server")[0]?.text).toMatch(
      /^ollama at http:\/\/127\.0\.0\.1:\d+\/v1 answers/,
    );
    expect(on(findings, "model")[0]?.text).toBe("ollama/qwen3:latest (the default)");
  });

  test("a server that does not answer costs seconds, not minutes", async () => {
    await using silent = await modelServer(null);
    await using place = crushPlace({ provider: { url: silent.url.replace(/\/v1$/, "") } });
    const { status } = await examined(place, [], { withinMs: 10_000 });
    expect(status).toBe(5);
  });

  test("a command of the configuration that hangs is ended within the bound, and the rest is told", async () => {
    await using place = crushPlace({
      configuration: { env: { A: "$(echo $$ > pid; exec sleep 300)" } },
    });
    const { status, findings } = await examined(place, DEMO, { withinMs: 12_000 });
    expect(status).toBe(124);
    expect(on(findings, "ripgrep").length).toBe(1);
    const pid = Number(readFileSync(join(place.work, "pid"), "utf8"));
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

describe("the data directory", () => {
  test("a store is looked into without a trace", async () => {
    await using place = crushPlace();
    expect((await place.run(["run", ...DEMO, "--no-stdin", "hello"])).status).toBe(0);
    const files = (): ReadonlySet<unknown> =>
      new Set(readdirSync(join(place.work, ".crush"), { recursive: true, encoding: "utf8" }));
    const before = files();
    const { status, findings } = await examined(place, DEMO);
    expect(status).toBe(0);
    expect(on(findings, "store")[0]?.text).toMatch(/^0\.\d MiB, SQLite finds it whole$/);
    expect(on(findings, "data")[0]?.text).toBe(`${join(place.work, ".crush")}: writable`);
    expect(files()).toEqual(before);
  });

  test("a store that is damaged, or no store at all, ends it with 8", async () => {
    await using place = crushPlace();
    mkdirSync(join(place.work, ".crush"));
    writeFileSync(
      join(place.work, ".crush/crush-run.db"),
      "this is no database, by far\n".repeat(100),
    );
    const { status, findings } = await examined(place, DEMO);
    expect(status).toBe(8);
    expect(on(findings, "store")[0]).toMatchObject({
      state: "problem",
      reason: "storage",
      remedy: expect.stringContaining("--data-dir"),
    });
  });

  test("a data directory that cannot be made ends it with 8", async () => {
    await using place = crushPlace();
    place.write("file", "");
    const under = await examined(place, [...DEMO, "-D", "file/data"]);
    expect([under.status, on(under.findings, "data")[0]?.reason]).toEqual([8, "storage"]);
    symlinkSync("nowhere", join(place.work, "dangling"));
    const odd = await examined(place, [...DEMO, "-D", "/proc/no/data"]);
    expect([odd.status, on(odd.findings, "data")[0]?.reason]).toEqual([8, "storage"]);
  });
});

test.concurrent.each([
  { CRUSH_RUN_OUTPUT: "xml" },
  { CRUSH_RUN_PROGRESS: "x" },
  { CRUSH_RUN_SMALL_MODEL: "nobody/x" },
  { CRUSH_RUN_MAX_COST: "1" },
])("%j ends it as it ends a run", async (env) => {
  await using server = await modelServer(modelList("model"));
  await using place = crushPlace({ provider: { url: server.url.replace(/\/v1$/, "") } });
  const { status: ofRun } = await place.run(["run", "--no-stdin", "hello"], { env });
  const { status, stdout } = await place.run(["doctor"], { env });
  expect([ofRun, status]).toEqual([2, 2]);
  expect(stdout.toString().match(/^PROBLEM /gm)).toHaveLength(1);
});

test("a working directory that is not there is refused", async () => {
  await using place = crushPlace();
  const { status, stdout, stderr } = await place.run(["doctor", "--cwd", "nowhere"]);
  expect([status, stdout.toString()]).toEqual([2, ""]);
  expect(stderr.toString()).toContain("--cwd names");
});
