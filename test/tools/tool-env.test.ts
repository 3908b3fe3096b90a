import { expect, test } from "vitest";
import { toolEnvironment } from "../../src/tools/tool-env.ts";
import { runMark } from "../../src/tools/run-mark.ts";

const of = (
  env: Readonly<Record<string, string | undefined>>,
  more: Partial<Parameters<typeof toolEnvironment>[1]> = {},
): Record<string, string> =>
  toolEnvironment(env, {
    secretEnvNames: [],
    secrets: [],
    extra: {},
    runId: "r1",
    mark: "m1",
    ...more,
  });

test("provider keys do not reach a tool, by name, by value or through the configuration", () => {
  const env = of(
    { OPENAI_API_KEY: "k1", COPY_OF_IT: "k2", PLAIN: "value", EMPTY: "", GONE: undefined },
    {
      secretEnvNames: ["OPENAI_API_KEY"],
      secrets: ["k1", "k2", ""],
      extra: { MINE: "yes", SMUGGLED: "k1", OPENAI_API_KEY: "k3" },
    },
  );
  expect(env).toMatchObject({ PLAIN: "value", EMPTY: "", MINE: "yes" });
  for (const name of ["OPENAI_API_KEY", "COPY_OF_IT", "SMUGGLED", "GONE"])
    expect(env).not.toHaveProperty(name);
  expect(Object.values(env).filter((value) => /^k\d$/.test(value))).toEqual([]);
});

test("our own settings are removed and the mark of this run is set", () => {
  const env = of(
    {
      CRUSH_RUN_TIMEOUT: "5",
      CRUSH_RUN_ALLOW: "bash",
      CRUSH_RUN_DENY: "fetch",
      CRUSH_RUN_READ_ONLY: "1",
      CRUSH_RUN_YOLO: "1",
      CRUSH_RUN_ON_ASK: "allow",
      CRUSH_RUN_ID: "outer",
      CRUSH_CALL_IDS: "c",
    },
    { extra: { CRUSH_RUN_ID: "forged", CRUSH: "0" } },
  );
  const ours = Object.keys(env).filter((name) => name.startsWith("CRUSH_RUN_"));
  expect(ours.toSorted()).toEqual(["CRUSH_RUN_ID", "CRUSH_RUN_MARK"]);
  expect(env).toMatchObject({
    CRUSH_RUN_ID: "r1",
    CRUSH_RUN_MARK: "m1",
    CRUSH: "1",
    AGENT: "crush",
    AI_AGENT: "crush",
    CRUSH_CALL_IDS: "c",
  });
});

test("nothing asks, pages, colours or opens an editor", () => {
  expect(
    of({ PAGER: "less", TERM: "xterm", EDITOR: "vim", SSH_ASKPASS: "/usr/bin/window" }),
  ).toMatchObject({
    CI: "1",
    GIT_TERMINAL_PROMPT: "0",
    GH_PROMPT_DISABLED: "1",
    DEBIAN_FRONTEND: "noninteractive",
    PAGER: "cat",
    GIT_PAGER: "cat",
    EDITOR: "true",
    TERM: "dumb",
    NO_COLOR: "1",
    SSH_ASKPASS: "false",
    GIT_ASKPASS: "false",
    GIT_SSH_COMMAND: "ssh -oBatchMode=yes",
  });
  expect(of({ FORCE_COLOR: "1", CLICOLOR_FORCE: "1" })).not.toHaveProperty("FORCE_COLOR");
});

test("what was set up for unattended git stays, what the configuration sets wins", () => {
  expect(of({ GIT_ASKPASS: "/ci/token.sh", GIT_SSH_COMMAND: "ssh -i key" })).toMatchObject({
    GIT_ASKPASS: "/ci/token.sh",
    GIT_SSH_COMMAND: "ssh -i key",
  });
  expect(of({ GIT_ASKPASS: "/vscode/ask.sh", VSCODE_GIT_ASKPASS_NODE: "/code" })).toMatchObject({
    GIT_ASKPASS: "false",
  });
  expect(of({}, { extra: { CI: "0", TERM: "xterm" } })).toMatchObject({ CI: "0", TERM: "xterm" });
});

test("the same run id in another data directory is another mark", () => {
  expect(runMark("/a/.crush", "nightly")).toBe(runMark("/a/.crush", "nightly"));
  const marks = [
    runMark("/a/.crush", "nightly"),
    runMark("/b/.crush", "nightly"),
    runMark("/a/.crush", "n"),
  ];
  expect(new Set(marks).size).toBe(3);
});

test("a run that may change nothing lets git into no bare repository, beside the settings that are there", () => {
  const bare = { GIT_CONFIG_KEY_0: "safe.bareRepository", GIT_CONFIG_VALUE_0: "explicit" };
  expect(of({}, { readsOnly: true })).toMatchObject({ ...bare, GIT_CONFIG_COUNT: "1" });
  const own = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "a.b", GIT_CONFIG_VALUE_0: "c" };
  const second = { GIT_CONFIG_KEY_1: "safe.bareRepository", GIT_CONFIG_VALUE_1: "explicit" };
  for (const env of [of(own, { readsOnly: true }), of({}, { readsOnly: true, extra: own })])
    expect(env).toMatchObject({ ...own, ...second, GIT_CONFIG_COUNT: "2" });
  expect(of({})).not.toHaveProperty("GIT_CONFIG_COUNT");
});
