import { describe, expect, test } from "vitest";
import { configurationOf, crushPlace } from "../support/crush.ts";
import type { CrushOptions, Ended } from "../support/crush.ts";
import { failed, seen, titled } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { shell } from "../support/shell.ts";
import { asUser, conversationOf } from "../support/replayed-history.ts";

// What is wrong before anything is sent to a model.

/** The command in a place with a fake provider, and how many requests that got. */
async function refused(
  args: readonly string[],
  options: CrushOptions = {},
  configuration?: object | string,
): Promise<{ readonly ended: Ended; readonly requests: number }> {
  await using provider = await startFakeProvider({ text: "An answer." });
  await using place = crushPlace({
    provider,
    ...(configuration !== undefined && { configuration }),
  });
  const ended = await place.run(args, { withinMs: 10_000, ...options });
  return { ended, requests: provider.requests.length };
}

describe("a command line that makes no sense is refused by name", () => {
  test.each([
    ["a duration that is none", ["--timeout", "soon"], '--timeout is "soon"'],
    ["a negative duration", ["--idle-timeout=-5s"], '--idle-timeout is "-5s"'],
    ["a number that is none", ["--retries", "many"], '--retries is "many"'],
    ["a negative number", ["--retries=-1"], '--retries is "-1"'],
    ["a number of turns that is none", ["--max-turns", "few"], '--max-turns is "few"'],
    ["a number of tool calls with a sign", ["--max-tool-calls=-1"], '--max-tool-calls is "-1"'],
    ["a number of tokens with a unit", ["--max-tokens", "10k"], '--max-tokens is "10k"'],
    ["a cost with a currency", ["--max-cost", "$1"], '--max-cost is "$1"'],
    ["a wait for stdin that is none", ["--stdin-wait", "1 s"], '--stdin-wait is "1 s"'],
    ["a flag given twice", ["--timeout", "1s", "--timeout", "2s"], "--timeout was given 2 times"],
    ["a flag without its value", ["--model"], "model"],
    ["an unknown flag", ["--frobnicate"], "--frobnicate"],
    ["two sessions at once", ["--session", "x", "--continue"], "--session and --continue"],
    ["an empty session", ["--session", ""], "--session"],
    ["a directory that is not there", ["--cwd", "nowhere"], "nowhere"],
  ])("%s", async (_, args, says) => {
    const { ended, requests } = await refused(["run", "hi", ...args]);
    expect(seen(ended)).toEqual(failed("usage", { says }));
    expect(requests).toBe(0);
  });

  test("a twin in the environment", async () => {
    const { ended } = await refused(["run", "hi"], { env: { CRUSH_RUN_QUIET: "perhaps" } });
    expect(seen(ended)).toEqual(failed("usage", { says: "CRUSH_RUN_QUIET" }));
  });

  test("no command, and an unknown one", async () => {
    expect(seen((await refused([])).ended)).toEqual(failed("usage"));
    expect(seen((await refused(["dance"])).ended)).toEqual(failed("usage", { says: "dance" }));
  });
});

describe("there is no prompt", () => {
  test.each(
    titled<readonly [readonly string[], CrushOptions]>({
      "without words": [["run"], {}],
      "with empty words": [["run", "", "  "], {}],
      "with blank standard input": [["run"], { stdin: { text: " \n\n" } }],
      "with --no-stdin, whatever stands there": [
        ["run", "--no-stdin"],
        { stdin: { text: "Say it." } },
      ],
    }),
  )("%s", async (_, [args, options]) => {
    const { ended, requests } = await refused(args, options);
    expect(seen(ended)).toEqual(failed("no_prompt"));
    expect(requests).toBe(0);
  });

  test("on a pipe that stays open and silent for --stdin-wait", async () => {
    const wait = ["run", "--stdin-wait", "300ms", "hi"];
    const { ended, requests } = await refused(wait, { stdin: "pipe" });
    expect(seen(ended)).toEqual(failed("stdin_wait", { says: "--no-stdin" }));
    expect(requests).toBe(0);
  });
});

test("standard input comes before the words, a blank line between", async () => {
  await using provider = await startFakeProvider({ text: "An answer." });
  await using place = crushPlace({ provider });
  await place.run(["run", "Count", "them."], { stdin: { text: "one\ntwo" } });
  const said = conversationOf("chat", provider.requests[0]?.body);
  expect(said).toEqual([asUser("chat", "one\ntwo\n\nCount them.")]);
});

test.each(
  titled({
    "a provider that is not there": ["-m", "nobody/x"],
    "a model that its provider has not": ["-m", "fake/modle"],
    "a bare model that nobody has": ["-m", "modle"],
  }),
)("%s is an unknown model", async (_, args) => {
  const { ended, requests } = await refused(["run", ...args, "hi"]);
  expect(seen(ended)).toEqual(failed("unknown_model", { says: args[1] ?? "" }));
  expect(ended.stderr.toString()).toContain("crush models");
  expect(requests).toBe(0);
});

test.each(
  titled({
    "an id that was never given": ["--session", "5e551071-0000-4000-8000-000000000000"],
    "--continue where there is none": ["--continue"],
  }),
)("%s is an unknown session", async (_, args) => {
  const { ended, requests } = await refused(["run", ...args, "hi"]);
  expect(seen(ended)).toEqual(failed("unknown_session", { says: args[1] ?? "--continue" }));
  expect(requests).toBe(0);
});

describe("no key", () => {
  /** So that an Ollama of this machine does not step in. */
  const env = { OLLAMA_HOST: "127.0.0.1:1" };

  test("without any provider the remedy names the variables to set", async () => {
    const { ended } = await refused(["run", "hi"], { env }, {});
    expect(seen(ended)).toEqual(failed("auth_missing", { says: "OPENAI_API_KEY" }));
    expect(ended.stderr.toString()).toContain("demo/offline");
  });

  test("a model whose provider lacks its key is refused with the name of the variable", async () => {
    const { ended, requests } = await refused(["run", "-m", "openai/gpt-5", "hi"], { env });
    expect(seen(ended)).toEqual(failed("auth_missing", { says: "OPENAI_API_KEY" }));
    expect(requests).toBe(0);
  });
});

const FAKE = configurationOf({ url: "http://127.0.0.1:1" }).providers?.fake;

test.each(
  titled<readonly [configuration: object | string, says: string]>({
    "that is not JSON names file and line": [
      '{\n  "providers": {\n    "fake": oops\n  }\n}',
      "crush.json:3",
    ],
    "that ends too early names the file": ['{ "providers": {', "crush.json"],
    "with a field of the wrong type names it": ['{\n  "providers": []\n}', "providers"],
    "with a provider of an unknown type names it": [
      { providers: { fake: { ...FAKE, type: "telepathy" } } },
      'type "telepathy"',
    ],
    "with a key from a variable that must be set names the variable": [
      { providers: { fake: { ...FAKE, api_key: "${FAKE_LLM_KEY:?}" } } },
      "FAKE_LLM_KEY",
    ],
    "with a key from a command that fails names the field": [
      { providers: { fake: { ...FAKE, api_key: "$(exit 3)" } } },
      "providers.fake.api_key",
    ],
    "whose selected model has no provider names it": [
      { models: { large: { model: "x" } } },
      "models.large",
    ],
  }),
)("a configuration %s", async (_, [configuration, says]) => {
  const { ended, requests } = await refused(["run", "-m", "fake/model", "hi"], {}, configuration);
  expect(seen(ended)).toEqual(failed("invalid_config", { says }));
  expect(requests).toBe(0);
});

test("a current directory that was removed is refused, unless another is named", async () => {
  await using place = crushPlace();
  const inGone = "mkdir gone; cd gone; rmdir ../gone; crush run -m demo/offline";
  const refusal = await shell(place, `${inGone} hi; echo $?`);
  expect(refusal.stderr).toMatch(/^error: the current directory is gone \(usage\); .+\n$/);
  expect(refusal.stdout).toBe("2\n");
  expect((await shell(place, `${inGone} --cwd / -D ${place.home}/data hi`)).status).toBe(0);
});
