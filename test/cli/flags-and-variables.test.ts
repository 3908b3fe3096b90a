import { expect, test } from "vitest";
import { readAnswerFlags } from "../../src/cli/answer-flags.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { COMMON_FLAGS, type FlagTable } from "../../src/cli/flags.ts";
import type { Flags } from "../../src/cli/flag-values.ts";
import { modelOptions } from "../../src/cli/model-options.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { permissionsOf } from "../../src/cli/permission-flags.ts";
import { progressOf } from "../../src/cli/progress.ts";
import { dryRunFlag } from "../../src/cli/prompt-flags.ts";
import { RUN_FLAGS } from "../../src/cli/run-flags.ts";
import { workspaceFlags } from "../../src/cli/workspace-flags.ts";
import { ON_ASK } from "../../src/protocol/permission-options.ts";
import { REASONING_LEVELS } from "../../src/protocol/run-options.ts";
import { RunFailed, type RunFailure } from "../../src/protocol/ending.ts";

type Env = Readonly<Record<string, string>>;

function flagsOf(argv: readonly string[], env: Env = {}): Flags {
  const line = parseCommandLine(["run", ...argv], env);
  if (line.type !== "command") throw new Error(`a ${line.type}`);
  return line.flags;
}

function refusal(
  argv: readonly string[],
  ask: (flags: Flags) => unknown,
  env: Env = {},
): RunFailure {
  try {
    ask(flagsOf(argv, env));
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
  throw new Error("expected a refusal");
}

test("a value that makes no sense is told under the name of the variable that holds it", () => {
  const bad: [string, string, (flags: Flags) => unknown][] = [
    ["CRUSH_RUN_TIMEOUT", "soon", (f) => f.duration("timeout")],
    ["CRUSH_RUN_RETRIES", "many", (f) => f.count("retries")],
    ["CRUSH_RUN_TEMPERATURE", "9", (f) => f.upTo("temperature", 2)],
    ["CRUSH_RUN_MAX_COST", "free", (f) => f.dollars("max-cost")],
    ["CRUSH_RUN_IF_BUSY", "no", (f) => f.choice("if-busy", ["queue", "fail"])],
    ["CRUSH_RUN_SYSTEM", "@", (f) => modelOptions(f)],
    ["CRUSH_RUN_CWD", "/nowhere at all", (f) => workspaceFlags(f)],
    ["CRUSH_RUN_ALLOW", "bash(", (f) => permissionsOf(f)],
  ];
  for (const [variable, value, ask] of bad)
    expect(refusal(["x"], ask, { [variable]: value }).message).toMatch(new RegExp(`^${variable} `));
  const both = { CRUSH_RUN_TIMEOUT: "5m" };
  expect(refusal(["--timeout", "soon"], (f) => f.duration("timeout"), both).message).toMatch(
    /^--timeout is/,
  );
});

test("a schema that is not there is told under the name of the variable that names it", async () => {
  const path = "/nowhere";
  const of = async (flags: Flags): Promise<unknown> =>
    await readAnswerFlags(flags).catch((error: unknown) => error);
  const message = " names /nowhere, which is not there";
  expect(await of(flagsOf(["x"], { CRUSH_RUN_SCHEMA: path }))).toMatchObject({
    failure: { reason: "usage", message: `CRUSH_RUN_SCHEMA${message}` },
  });
  expect(await of(flagsOf(["--schema", path, "x"]))).toMatchObject({
    failure: { reason: "usage", message: `--schema${message}` },
  });
});

test("CRUSH_RUN_DEBUG is checked like every other switch", () => {
  expect(flagsOf(["x"], { CRUSH_RUN_DEBUG: "1" }).flag("debug")).toBe(true);
  expect(refusal(["x"], () => null, { CRUSH_RUN_DEBUG: "maybe" })).toMatchObject({
    reason: "usage",
    message: 'CRUSH_RUN_DEBUG is "maybe"',
  });
});

test.each(["cwd", "data-dir"])("--%s without a value in it is not passed over", (name) => {
  expect(refusal([`--${name}`, "", "x"], (flags) => workspaceFlags(flags))).toMatchObject({
    reason: "usage",
    message: `--${name} is empty`,
    remedy: "name a directory, or leave it out",
  });
});

test("what the environment says for all runs yields to the flags of one", () => {
  const quiet = flagsOf(["-q", "x"], { CRUSH_RUN_PROGRESS: "plain" });
  expect(progressOf(quiet)).toEqual({ quiet: true, verbose: false, mode: "none" });
  const plain = flagsOf(["--progress=plain", "x"], { CRUSH_RUN_QUIET: "1" });
  expect(progressOf(plain)).toEqual({ quiet: false, verbose: false, mode: "plain" });
  const message = "CRUSH_RUN_QUIET and CRUSH_RUN_PROGRESS=plain exclude each other";
  const both = { CRUSH_RUN_QUIET: "1", CRUSH_RUN_PROGRESS: "plain" };
  expect(refusal(["x"], progressOf, both)).toMatchObject({ reason: "usage", message });
  expect(refusal(["-q", "--progress=plain"], progressOf).message).toBe(
    "--quiet and --progress=plain exclude each other",
  );
});

test("a variable that says nothing about this run is no mistake", async () => {
  const retries = flagsOf(["x"], { CRUSH_RUN_CHECK_RETRIES: "3" });
  expect(await readAnswerFlags(retries)).toEqual({});
  expect(dryRunFlag(flagsOf(["--dry-run", "x"], { CRUSH_RUN_PRINT_IDS: "1" }))).toBe(true);
});

test.each(["output-file", "events", "junit"])("--dry-run writes no --%s, and says so", (name) => {
  expect(refusal(["--dry-run", `--${name}=f`], dryRunFlag)).toMatchObject({
    reason: "usage",
    remedy: `leave --${name} out`,
  });
});

test("what is completed after a flag is what the flag takes", () => {
  expect(RUN_FLAGS["on-ask"].values).toEqual(ON_ASK);
  expect(RUN_FLAGS["reasoning-effort"].values).toEqual(REASONING_LEVELS);
});

test("every flag with a value has a word for it in its help", () => {
  const flags: FlagTable[] = [COMMON_FLAGS, ...COMMANDS.map((command) => command.flags)];
  const wordless = flags.flatMap((table) =>
    Object.keys(table).filter(
      (name) => table[name]?.type === "string" && table[name].takes === undefined,
    ),
  );
  expect(wordless).toEqual([]);
});

test("who types an unknown flag is sent to the help of that command", () => {
  const remedyOf = (...argv: string[]): string | null | undefined => {
    try {
      parseCommandLine(argv, {});
      return null;
    } catch (error) {
      return error instanceof RunFailed ? error.failure.remedy : null;
    }
  };
  expect(remedyOf("session", "list", "--output", "json")).toBe("see: crush session list --help");
  expect(remedyOf("run", "--nope")).toMatch(/^see: crush run --help \(put -- before/);
});
