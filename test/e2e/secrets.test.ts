import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace, type CrushPlace } from "../support/crush.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";

// Keys are in the environment and in the configuration; a model that has read the configuration says them wherever it can.

const KEYS = {
  /** Of a provider that is not used, in the environment. */
  environment: "sk-env-5f0c1b2a9d8e7f60",
  /** Of the one that is used, as it stands in crush.json. */
  literal: "sk-lit-0a1b2c3d4e5f6071",
  /** Named there by a variable that is no provider's. */
  variable: "tok-var-8899aabbccddeeff",
  /** Said by a command. */
  command: "sk-cmd-13579bdf2468ace0",
  /** In a header. */
  header: "hdr-secret-77665544332211",
} as const;
const ENV = { OPENAI_API_KEY: KEYS.environment, TEAM_TOKEN: KEYS.variable };
const ALL = Object.values(KEYS).join(" ");

function configurationOf(url: string): object {
  const common = { type: "openai-compat", base_url: `${url}/v1`, models: [{ id: "model" }] };
  return {
    providers: {
      fake: { ...common, api_key: KEYS.literal, extra_headers: { "x-team-token": KEYS.header } },
      team: { ...common, api_key: "$TEAM_TOKEN" },
      vault: { ...common, api_key: "$(cat ../key)" },
    },
    models: { large: { provider: "fake", model: "model" } },
  };
}

/** Reads everything it can, and repeats it as text, as reasoning, as input of a tool, in a file's name and to the end. */
const TELLS_ALL: readonly FakeStep[] = [
  {
    toolCalls: [
      {
        id: "call_1",
        name: "bash",
        input: {
          command: `env > env.txt; cat ../home/.config/crush/crush.json ../key; echo ${ALL}`,
        },
      },
    ],
  },
  {
    reasoning: `I have seen ${ALL}.`,
    text: `Look: ${ALL}`,
    toolCalls: [
      { id: "call_2", name: "view", input: { file_path: `/etc/${KEYS.literal}` } },
      { id: "call_3", name: "grep", input: { pattern: ALL } },
    ],
  },
  { text: `Your keys are ${ALL}` },
];

const MODELS = ["fake/model", "team/model", "vault/model"] as const;

/** What only a command says is a secret to those who have run it: runs with its provider. */
const heardBy = (model: string | null): readonly string[] =>
  Object.values(KEYS).filter((key) => key !== KEYS.command || model === "vault/model");

/** What of these texts holds a key, and which. */
const leaks = (texts: Readonly<Record<string, string>>, model: string | null): string[] =>
  Object.entries(texts).flatMap(([name, text]) =>
    heardBy(model)
      .filter((key) => text.includes(key))
      .map((key) => `${name}: ${key}`),
  );

async function saidBy(
  place: CrushPlace,
  title: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, string>>> {
  const { status, stdout, stderr } = await place.run(args, { env: { ...ENV, ...env } });
  return {
    [`${title} (${status}) stdout`]: stdout.toString(),
    [`${title} (${status}) stderr`]: stderr.toString(),
  };
}

async function keyPlace(url: string): Promise<CrushPlace> {
  const place = crushPlace({ configuration: configurationOf(url) });
  writeFileSync(join(place.home, "../key"), KEYS.command);
  return place;
}

const SIDE_FILES = ["answer", "events", "junit.xml", "summary.md", "outputs"] as const;

test.each(MODELS)("with %s no key is in any output of a run that says them all", async (model) => {
  for (const format of ["text", "json", "stream-json"]) {
    await using provider = await startFakeProvider(TELLS_ALL);
    await using place = await keyPlace(provider.url);
    for (const file of SIDE_FILES) place.write(`../home/${file}`, "");
    const at = (file: (typeof SIDE_FILES)[number]): string => join(place.home, file);
    const args = ["run", "-v", "--debug", "--stream", "--output", format, "-m", model];
    const files = ["-o", at("answer"), "--events", at("events"), "--junit", at("junit.xml")];
    const github = {
      GITHUB_STEP_SUMMARY: at("summary.md"),
      GITHUB_OUTPUT: at("outputs"),
      CRUSH_RUN_CI: "github",
    };
    const said = await saidBy(place, format, [...args, ...files, `Do you know ${ALL}?`], github);
    const written = Object.fromEntries(
      SIDE_FILES.map((file) => [file, readFileSync(at(file), "utf8")]),
    );
    expect(provider.requests).toHaveLength(TELLS_ALL.length);
    // What a runner is to mask has to be told to it: these lines are taken by it.
    const told = Object.fromEntries(
      Object.entries(said).map(([name, text]) => [name, text.replace(/^::add-mask::.*$/gm, "")]),
    );
    expect(leaks({ ...told, ...written, env: place.read("env.txt") }, model)).toEqual([]);
    expect(Object.values(written).filter((text) => text === "")).toEqual([]);
    const runId = /^run (\S+) in session /m.exec(Object.values(said).join("\n"))?.[1] ?? "";
    const later = {
      ...(await saidBy(place, "show", ["show", runId])),
      ...(await saidBy(place, "runs", ["runs"])),
      ...(await saidBy(place, "attach", ["attach", runId])),
      ...(await saidBy(place, "list", ["session", "list"])),
      ...(await saidBy(place, "last", ["session", "last"])),
      ...(await saidBy(place, "last json", ["session", "last", "--json"])),
    };
    expect(leaks(later, null)).toEqual([]);
    expect(
      Object.entries(later).filter(([name, text]) => /stdout/.test(name) && text === ""),
    ).toEqual([]);
  }
});

test("a key that a provider says when it refuses is in no output", async () => {
  for (const status of [400, 401, 503]) {
    const body = { error: { message: `bad key ${ALL}` } };
    await using provider = await startFakeProvider({ status, body });
    await using place = await keyPlace(provider.url);
    for (const model of MODELS) {
      const args = [
        "run",
        "-v",
        "--debug",
        "--output",
        "json",
        "-m",
        model,
        "--retries",
        "1",
        "hi",
      ];
      expect(leaks(await saidBy(place, `${status} ${model}`, args), model)).toEqual([]);
    }
    expect(leaks(await saidBy(place, "runs", ["runs"]), null)).toEqual([]);
  }
});

test("no key is in what the commands say that look at the configuration", async () => {
  await using provider = await startFakeProvider({});
  await using place = await keyPlace(provider.url);
  for (const args of [
    ["models"],
    ["doctor"],
    ["doctor", "--json"],
    ["config", "show"],
    ["config", "show", "--sources"],
    ["config", "check"],
    ["config", "path"],
    ["run", "--dry-run", "hi"],
    ["run", "--dry-run", "--output", "json", "hi"],
  ])
    expect(leaks(await saidBy(place, args.join(" "), args), null)).toEqual([]);
  // A server on this machine is asked what it has, and nothing else.
  expect(provider.requests.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("an exported conversation holds no key", async () => {
  await using provider = await startFakeProvider(TELLS_ALL);
  await using place = await keyPlace(provider.url);
  await saidBy(place, "run", ["run", `Do you know ${ALL}?`]);
  const said = await saidBy(place, "list", ["session", "list", "--json"]);
  const [{ id = "" } = {}] = JSON.parse(Object.values(said)[0] ?? "") as { id?: string }[];
  for (const format of ["markdown", "html"]) {
    const exported = await saidBy(place, format, ["session", "export", id, "--format", format]);
    expect(leaks(exported, null)).toEqual([]);
    expect(Object.values(exported)[0]).toMatch(/Do you know/);
  }
});
