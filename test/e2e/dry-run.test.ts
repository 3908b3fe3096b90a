import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { badFiles, PNG } from "../support/bad-files.ts";
import { configurationOf, crushPlace, FAKE_KEY, FAMILIES } from "../support/crush.ts";
import type { CrushOptions, CrushPlace, Ended } from "../support/crush.ts";
import { failed, seen, titled, type Tried } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";

interface DryRun {
  readonly type: string;
  readonly schema_version: number;
  readonly model: string | null;
  readonly session_id: string | null;
  readonly provider: { readonly id: string; readonly server: string | null; readonly key: string };
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly system: string;
  readonly tools: readonly { readonly name: string; readonly input_schema: object }[];
  readonly prompt: string;
  readonly unknown: readonly string[];
  readonly estimated_tokens: Readonly<Record<string, number>>;
}

const dryRun = async (
  place: CrushPlace,
  args: readonly string[],
  options: CrushOptions = {},
): Promise<DryRun> => {
  const ended = await place.run(["run", "--dry-run", "--output", "json", ...args], options);
  if (ended.status !== 0) throw new Error(ended.stderr.toString());
  return JSON.parse(ended.stdout.toString()) as DryRun;
};

const nothingMade = (place: CrushPlace): boolean => !existsSync(join(place.work, ".crush"));

test.each(FAMILIES)(
  "a dry run by %s tells what a run then sends, and sends nothing",
  async (family) => {
    await using provider = await startFakeProvider({ text: "ok" });
    await using place = crushPlace({ provider: { url: provider.url, family } });
    place.write("AGENTS.md", "Answer in Latin.");
    place.write("notes.txt", "from a file");
    const args = ["-f", "notes.txt", "--system", "Be brief.", "--max-turns", "3", "the prompt"];
    const dry = await dryRun(place, args);
    expect([provider.requests.length, nothingMade(place)]).toEqual([0, true]);
    expect(dry).toMatchObject({
      schema_version: 1,
      type: "run.dry_run",
      cwd: place.work,
      data_directory: join(place.work, ".crush"),
      session_id: null,
      model: "fake/model",
      context_window: 100_000,
      provider: { id: "fake", server: provider.url, key: "set" },
      attachments: [{ name: "notes.txt", path: "notes.txt", mime_type: "text/plain", bytes: 11 }],
      prompt: "the prompt",
      limits: { max_turns: 3, timeout_ms: null, retries: 4 },
      config_sources: [place.configFile],
      unknown: [],
      warnings: [],
    });
    expect(dry.system).toMatch(/Be brief\.[^]*Answer in Latin\./);

    expect((await place.run(["run", ...args])).status).toBe(0);
    const sent = provider.requests[0]?.body as Readonly<Record<string, unknown>>;
    const body = JSON.stringify(sent);
    expect(body).toContain(JSON.stringify(dry.system).slice(1, -1));
    for (const { name } of dry.tools) expect(body).toContain(`"${name}"`);
    for (const [name, value] of Object.entries(dry.parameters)) expect(sent[name]).toEqual(value);
    const left = Object.keys(sent).filter((name) => !(name in dry.parameters));
    const SAID = ["messages", "input", "instructions", "system", "systemInstruction", "contents"];
    const OF_TOOLS = ["tools", "tool_choice", "toolConfig"];
    expect([...SAID, ...OF_TOOLS]).toEqual(expect.arrayContaining(left));
  },
);

test("a dry run is readable by a person as well", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const { status, stdout, stderr } = await place.run(["run", "--dry-run", "the prompt"]);
  expect([status, stderr.toString(), provider.requests.length]).toEqual([0, "", 0]);
  const text = stdout.toString();
  expect(text).toMatch(/^A dry run: nothing was sent\.\n\nmodel {6}fake\/model\n/);
  expect(text).toContain(`server     ${provider.url}\n`);
  expect(text).toContain("--- system prompt\nYou are the agent behind `crush run`");
  expect(text).toMatch(/--- prompt\nthe prompt\n$/);
});

test("no key is in a dry run, wherever it stands", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  const configuration = configurationOf(provider);
  const fake = {
    ...configuration.providers?.fake,
    extra_headers: { Authorization: "Bearer header-secret-1" },
    extra_body: { echo: FAKE_KEY },
    system_prompt_prefix: `The key is ${FAKE_KEY}.`,
  };
  await using place = crushPlace({ configuration: { ...configuration, providers: { fake } } });
  place.write("AGENTS.md", `Never say header-secret-1 or ${FAKE_KEY}.`);
  for (const output of ["text", "json"]) {
    const ended = await place.run(["run", "--dry-run", "--output", output, `Is it ${FAKE_KEY}?`]);
    expect(ended.status).toBe(0);
    expect(ended.stdout.toString()).not.toMatch(/sk-fake|header-secret/);
    expect(ended.stdout.toString()).toContain("The key is ***.");
  }
});

test("a dry run goes on where the session is, and leaves it as it is", async () => {
  await using provider = await startFakeProvider({ text: "A long answer. ".repeat(40) });
  await using place = crushPlace({ provider });
  await place.run(["run", "hi"]);
  const fresh = await dryRun(place, ["and?"]);
  const dry = await dryRun(place, ["--continue", "and?"]);
  expect(dry.session_id).not.toBeNull();
  expect(dry.estimated_tokens["conversation"]).toBeGreaterThan(100);
  expect(fresh.estimated_tokens["conversation"]).toBe(0);
  expect(await dryRun(place, ["--session", dry.session_id ?? "", "and?"])).toEqual(dry);
  expect(await dryRun(place, ["--continue", "and?"])).toEqual(dry);
  expect(provider.requests).toHaveLength(1);
  expect((await place.run(["runs"])).stdout.toString().trim().split("\n")).toHaveLength(1);
});

test("a dry run does not know a model for summaries that only a list would tell, and refuses what no list has", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ configuration: asking(provider.url) });
  const dry = await dryRun(place, ["-m", "demo/offline", "--small-model", "lm/some", "hi"]);
  expect([dry.model, dry.unknown]).toEqual([
    "demo/offline",
    [
      expect.stringMatching(/^whether there is lm\/some: lm at http/),
      expect.stringContaining("api_key"),
    ],
  ]);
  const args = ["run", "--dry-run", "-m", "demo/offline", "--small-model", "demo/none", "hi"];
  const refused = await place.run(args);
  expect([refused.status, refused.stderr.toString()]).toEqual([
    2,
    expect.stringContaining("--small-model: unknown model demo/none"),
  ]);
  expect([provider.requests.length, existsSync(join(place.work, "asked"))]).toEqual([0, false]);
});

test("a dry run with an id of its own tells that such a run may be known", async () => {
  await using place = crushPlace({});
  const dry = await dryRun(place, ["-m", "demo/offline", "--run-id", "once", "hi"]);
  expect(dry.unknown).toEqual([expect.stringContaining("a run once already")]);
});

/** A provider that says nothing by itself: its key by a command that would leave a trace. */
const asking = (url: string) => ({
  providers: {
    lm: { type: "openai-compat", base_url: `${url}/v1`, api_key: "$(touch asked; echo secret)" },
  },
});

test.each([
  [
    "named",
    ["-m", "lm/some-model"],
    "lm/some-model",
    /whether there is lm\/some-model: lm at http/,
  ],
  ["left to the default", [], null, /which model it is: lm at http/],
  ["named without its provider", ["-m", "some-model"], null, /whether there is some-model: lm at/],
] as const)(
  "what only the provider's list would tell is not known: a model %s",
  async (_, args, model, open) => {
    await using provider = await startFakeProvider({ text: "ok" });
    await using place = crushPlace({ configuration: asking(provider.url) });
    const dry = await dryRun(place, [...args, "hi"]);
    expect(dry.model).toBe(model);
    expect(dry.provider).toEqual({
      id: "lm",
      type: "openai-compat",
      server: provider.url,
      key: "not_known",
    });
    expect(dry.unknown).toEqual([
      expect.stringMatching(open),
      "providers.lm.api_key: a command would say it",
    ]);
    expect(provider.requests).toEqual([]);
    expect(existsSync(join(place.work, "asked"))).toBe(false);
  },
);

test("a command in env is not run either", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({
    configuration: { ...configurationOf(provider), env: { TOKEN: "$(touch asked; echo x)" } },
  });
  const ended = await place.run(["run", "--dry-run", "hi"]);
  expect([ended.status, ended.stderr.toString()]).toEqual([
    0,
    "warning: env.TOKEN is not known: a command says it, and none was run\n",
  ]);
  expect(existsSync(join(place.work, "asked"))).toBe(false);
});

test("without any provider it is Ollama that would be asked", async () => {
  await using place = crushPlace();
  const env = { OLLAMA_HOST: "127.0.0.1:1" };
  const dry = await dryRun(place, ["hi"], { env });
  expect(dry).toMatchObject({
    model: null,
    provider: { id: "ollama", server: "http://127.0.0.1:1", key: "none" },
    unknown: ["which model it is: ollama at http://127.0.0.1:1 would be asked for its models"],
  });
});

test.each(
  titled<readonly [reason: Tried, args: readonly string[]]>({
    "a model that is not there": ["unknown_model", ["-m", "fake/nope", "hi"]],
    "a provider without a key": ["auth_missing", ["-m", "openai/gpt-5", "hi"]],
    "no prompt": ["no_prompt", []],
    "a file that is not there": ["usage", ["-f", "gone", "hi"]],
    "a model that reads no files": ["usage", ["-f", "image", "hi"]],
    "a cost without prices": ["usage", ["--max-cost", "1", "hi"]],
    "a duration that is none": ["usage", ["--timeout", "soon", "hi"]],
    "a session that is not there": ["unknown_session", ["--session", "nope", "hi"]],
    "no session to continue": ["unknown_session", ["--continue", "hi"]],
    "a configuration with a mistake": ["invalid_config", ["--config", "bad.json", "hi"]],
  }),
)("what a run is refused for is refused in a dry run: %s", async (_, [reason, args]) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  place.write("image", PNG);
  place.write("bad.json", '{"options": 1}');
  const dry = await place.run(["run", "--dry-run", ...args]);
  expect(seen(dry)).toEqual(failed(reason));
  expect(nothingMade(place)).toBe(true);
  const real = await place.run(["run", ...args]);
  expect(errorOf(dry)).toBe(errorOf(real));
  expect(provider.requests).toEqual([]);
});

const errorOf = ({ status, stderr }: Ended): string => `${status} ${stderr.toString()}`;

test("a refused dry run has a result, like every run", async () => {
  await using place = crushPlace();
  badFiles(place);
  const args = ["run", "--dry-run", "--output", "json", "-f", "gone", "hi"];
  const ended = await place.run(args);
  expect(JSON.parse(ended.stdout.toString())).toMatchObject({
    type: "run.result",
    exit_code: 2,
    error: { code: "usage" },
  });
});

test.each([
  ["--output", "stream-json"],
  ["--output-file", "out"],
  ["--events", "out"],
  ["--print-ids"],
])("a dry run with %s %s makes no sense", async (...flags) => {
  await using place = crushPlace();
  const given = flags.filter((flag) => flag !== undefined);
  const ended = await place.run(["run", "--dry-run", ...given, "-m", "demo/offline", "hi"]);
  expect(ended.status).toBe(2);
  expect(ended.stderr.toString()).toMatch(/^error: --dry-run .* \(usage\); \S.*\n$/);
  expect(existsSync(join(place.work, "out"))).toBe(false);
});
