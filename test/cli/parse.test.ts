import * as fc from "fast-check";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { COMMON_FLAGS, SELF_FLAGS, type Flag } from "../../src/cli/flags.ts";
import { RUN_FLAGS } from "../../src/cli/run-flags.ts";
import type { Flags } from "../../src/cli/flag-values.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { RunFailed, type RunFailure } from "../../src/protocol/ending.ts";

type Env = Readonly<Record<string, string>>;

function run(argv: readonly string[], env: Env = {}): { words: readonly string[]; flags: Flags } {
  const line = parseCommandLine(["run", ...argv], env);
  if (line.type !== "command") throw new Error(`a ${line.type}`);
  return line;
}

const words = (...argv: string[]): readonly string[] => run(argv).words;

/** The failure of a command line, or of a flag when it is asked for. */
function refusal(
  argv: readonly string[],
  ask: (flags: Flags) => unknown = () => null,
  env: Env = {},
): RunFailure {
  try {
    const line = parseCommandLine(argv, env);
    if (line.type === "command") ask(line.flags);
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
  throw new Error("expected a refusal");
}

/** Null for a command line that is taken; anything but a refusal is thrown. */
function reasonOf(argv: readonly string[]): string | null {
  try {
    parseCommandLine(argv, {});
    return null;
  } catch (error) {
    if (error instanceof RunFailed) return error.failure.reason;
    throw error;
  }
}

const FLAGS = { ...COMMON_FLAGS, ...RUN_FLAGS };
type FlagName = keyof typeof FLAGS;
const named = (type: "boolean" | "string"): FlagName[] =>
  (Object.keys(FLAGS) as FlagName[]).filter((name) => FLAGS[name].type === type);
const aliasOf = (name: FlagName): string | null => {
  const { alias } = FLAGS[name] as Flag;
  return typeof alias === "string" ? alias : null;
};
const twinOf = (name: FlagName): string | null => (FLAGS[name] as Flag).twin ?? null;

test.each(named("string"))("--%s takes exactly one value, in every notation", (name) => {
  const alias = aliasOf(name);
  const short = alias === null ? [] : [[`-${alias}`, "va"], [`-${alias}va`], [`-${alias}=va`]];
  for (const given of [[`--${name}`, "va"], [`--${name}=va`], ...short]) {
    const { words: rest, flags } = run([...given, "the", "prompt"]);
    expect([given, flags.text(name), rest]).toEqual([given, "va", ["the", "prompt"]]);
  }
  expect(run(["prompt"]).flags.text(name)).toBeNull();
  expect(refusal(["run", "prompt", `--${name}`])).toMatchObject({
    reason: "usage",
    message: `--${name} needs a value`,
  });
  const twice = ["run", `--${name}=a`, `--${name}`, "b", "prompt"];
  expect(refusal(twice, (flags) => flags.text(name))).toMatchObject({
    reason: "usage",
    message: `--${name} was given 2 times`,
    remedy: `give --${name} once`,
  });
});

test.each(named("boolean"))("--%s is a switch that leaves the words alone", (name) => {
  const alias = aliasOf(name);
  const short = alias === null ? [] : [`-${alias}`];
  for (const on of [`--${name}`, `--${name}=true`, `--${name}=1`, ...short]) {
    const { words: rest, flags } = run([on, "true", "story"]);
    expect([on, flags.flag(name), rest]).toEqual([on, true, ["true", "story"]]);
  }
  for (const off of [`--no-${name}`, `--${name}=false`, `--${name}=0`])
    expect([off, run([off, "x"]).flags.flag(name)]).toEqual([off, false]);
  expect(run(["x"]).flags.flag(name)).toBeNull();
  expect(run([`--${name}`, "x", `--no-${name}`]).flags.flag(name)).toBe(false);
  expect(refusal(["run", `--${name}=maybe`, "x"])).toMatchObject({
    reason: "usage",
    message: `--${name} is "maybe"`,
  });
});

test.each(
  (Object.keys(FLAGS) as FlagName[]).flatMap((name) => {
    const twin = twinOf(name);
    return twin === null ? [] : [[twin, name] as const];
  }),
)("%s is the twin of --%s, and the flag wins", (twin, name) => {
  const isSwitch = FLAGS[name].type === "boolean";
  const read = (flags: Flags): unknown => (isSwitch ? flags.flag(name) : flags.text(name));
  const [value, flag, kept] = isSwitch
    ? ["true", `--no-${name}`, false]
    : ["a b", `--${name}=c`, "c"];
  expect(read(run(["x"], { [twin]: value }).flags)).toBe(isSwitch ? true : "a b");
  expect(read(run([flag, "x"], { [twin]: value }).flags)).toBe(kept);
  expect(read(run(["x"], { [twin]: "" }).flags)).toBeNull();
});

test("nothing else in the environment is a flag", () => {
  const env = { CRUSH_CLIENT_SERVER: "1", CRUSH_RUN_NOPE: "1", CRUSH_MODEL: "m", MODEL: "m" };
  expect(run(["x"], env).flags.text("model")).toBeNull();
});

test("the twin of a switch that is neither true nor false is refused by its name", () => {
  const quiet = (flags: Flags): unknown => flags.flag("quiet");
  expect(refusal(["run", "x"], quiet, { CRUSH_RUN_QUIET: "yes" })).toMatchObject({
    reason: "usage",
    message: 'CRUSH_RUN_QUIET is "yes"',
    remedy: "set it to true or false",
  });
});

test("short switches may stand together, the last letter with its value", () => {
  const { words: rest, flags } = run(["-qvmopenai/gpt", "-Cs", "abc", "x"]);
  expect([flags.flag("quiet"), flags.flag("verbose"), flags.flag("continue")]).toEqual([
    true,
    true,
    true,
  ]);
  expect([flags.text("model"), flags.text("session"), rest]).toEqual(["openai/gpt", "abc", ["x"]]);
});

test("numbers stay the text that was typed", () => {
  expect(words("1e3", "0x10", "007", "1.50", "-5", "true")).toEqual([
    "1e3",
    "0x10",
    "007",
    "1.50",
    "-5",
    "true",
  ]);
  expect(run(["--data-dir", "1e3", "--session", "007", "x"]).flags.text("data-dir")).toBe("1e3");
});

test("a sentence is never a flag, whatever it begins with", () => {
  const sentences = ["- item one\n- item two", "--quiet please", "-q now", "--what=is this?", "-"];
  for (const sentence of sentences) {
    const { words: rest, flags } = run([sentence, "-v"]);
    expect([rest, flags.flag("quiet"), flags.flag("verbose")]).toEqual([[sentence], null, true]);
  }
});

test("a lone dash is a word", () => {
  expect(words("-")).toEqual(["-"]);
  expect(words("a", "-", "b")).toEqual(["a", "-", "b"]);
});

test("a value with white space in it reaches its flag whole", () => {
  for (const given of [
    ["--cwd=/my files/- a"],
    ["--cwd", "/my files/- a"],
    ["-c", "/my files/- a"],
  ])
    expect(run([...given, "x"]).flags.text("cwd")).toBe("/my files/- a");
});

test("after -- everything is a word", () => {
  const { words: rest, flags } = run(["a", "--", "-q", "--model", "--", "- b c", "--no-x"]);
  expect(rest).toEqual(["a", "-q", "--model", "--", "- b c", "--no-x"]);
  expect([flags.flag("quiet"), flags.text("model")]).toEqual([null, null]);
});

test("whatever stands after -- is the prompt, word by word", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (typed) => {
      expect(words("--", ...typed)).toEqual(typed);
    }),
    { numRuns: 25 },
  );
});

test("a command line is read or refused in words, whatever it holds", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom("run", "-", "--", "-q", "-m", "--model", "--no-", "-=", "--=", "-qq=1", "--q"),
    fc.constantFrom(
      "__proto__",
      "--__proto__",
      "--constructor=1",
      "-",
      "\u{E000}0",
      "--h",
      "--no-h",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece), (argv) => {
      expect(["usage", null]).toContain(reasonOf(argv));
    }),
    { numRuns: 60 },
  );
});

test.each([
  [["run", "--nope", "x"], "unknown flag --nope"],
  [["run", "-z", "x"], "unknown flag -z"],
  [["run", "--mod", "m", "x"], "unknown flag --mod"],
  [["run", "--noStream", "x"], "unknown flag --noStream"],
  [["run", "-qxv", "x"], "unknown flag -x"],
  [["models", "--quiet"], "unknown flag --quiet"],
  [["nonsense"], 'unknown command "nonsense"'],
  [["run it please"], 'unknown command "run it please"'],
  [["show", "a", "b"], 'crush show takes one word, "b" is one too many'],
  [["show"], "crush show needs the id of a run"],
  [["wait", ""], "crush wait needs the id of a run"],
  [["session", "delete", ""], "crush session delete needs the id of a session"],
  [["run", "-m", "-q", "x"], "--model needs a value"],
  [[], "no command was given"],
])("%j is refused: %s", (argv, message) => {
  const failure = refusal(argv);
  expect(failure).toMatchObject({ reason: "usage", message });
  expect(failure.remedy).toMatch(/\S/);
});

test("durations and counts are checked, and the refusal names the flag and its forms", () => {
  const { flags } = run(["--timeout", "1h30m", "--stdin-wait=250ms", "--retries", "0", "x"]);
  expect([flags.duration("timeout"), flags.duration("stdin-wait")]).toEqual([5_400_000, 250]);
  expect([flags.count("retries"), flags.duration("idle-timeout")]).toEqual([0, null]);
  for (const bad of ["", "1e3", "-1", "5 minutes", "fast"])
    expect(refusal(["run", `--timeout=${bad}`], (f) => f.duration("timeout"))).toMatchObject({
      reason: "usage",
      message: `--timeout is ${JSON.stringify(bad)}, which is no duration`,
    });
  for (const bad of ["", "1.5", "-1", "1e3", "many"])
    expect(refusal(["run", `--retries=${bad}`], (f) => f.count("retries"))).toMatchObject({
      reason: "usage",
      message: `--retries is ${JSON.stringify(bad)}, which is no whole number`,
    });
});

test.each(["max-turns", "max-tool-calls", "max-tokens"] as const)(
  "--%s is a whole number, and a bad one is refused by name and remedy",
  (name) => {
    expect(run([`--${name}=0`, "x"]).flags.count(name)).toBe(0);
    expect(run([`--${name}`, "200000", "x"]).flags.count(name)).toBe(200_000);
    for (const bad of ["", "1.5", "-1", "1e3", "10k", "many"])
      expect(refusal(["run", `--${name}=${bad}`], (f) => f.count(name))).toMatchObject({
        reason: "usage",
        message: `--${name} is ${JSON.stringify(bad)}, which is no whole number`,
        remedy: "use 0 or a positive whole number",
      });
  },
);

test("--max-cost is a decimal number of dollars, and a bad one is refused by name and remedy", () => {
  for (const [text, dollars] of [
    ["0", 0],
    ["2", 2],
    ["0.50", 0.5],
    ["0.000001", 0.000_001],
  ] as const)
    expect(run(["--max-cost", text, "x"]).flags.dollars("max-cost")).toBe(dollars);
  expect(run(["x"]).flags.dollars("max-cost")).toBeNull();
  for (const bad of ["", "$1", "1 USD", "-1", "1e-3", ".5", "1.", "1,50", "Infinity", "NaN"])
    expect(refusal(["run", `--max-cost=${bad}`], (f) => f.dollars("max-cost"))).toMatchObject({
      reason: "usage",
      message: `--max-cost is ${JSON.stringify(bad)}, which is no amount of US dollars`,
      remedy: "use a number without a sign, such as 0.50 or 2",
    });
});

test("the other commands have their word, and the flags that they share stand before or after", () => {
  expect(parseCommandLine(["r", "x"], {})).toMatchObject({
    command: { name: "run" },
    words: ["x"],
  });
  expect(parseCommandLine(["show", "abc"], {})).toMatchObject({ words: ["abc"] });
  expect(parseCommandLine(["models"], {})).toMatchObject({ words: [] });
  expect(parseCommandLine(["models", "gpt"], {})).toMatchObject({ words: ["gpt"] });
  expect(parseCommandLine(["--version"], {})).toEqual({ type: "version" });
  for (const argv of [
    ["-c", "/x", "run", "p"],
    ["run", "p", "-c", "/x"],
  ]) {
    const line = parseCommandLine(argv, {});
    expect(line).toMatchObject({ command: { name: "run" }, words: ["p"] });
    expect("flags" in line && line.flags.text("cwd")).toBe("/x");
  }
});

test("help is asked for with words and flags around it", () => {
  expect(parseCommandLine(["-h"], {})).toEqual({ type: "help", of: [], part: "help" });
  expect(parseCommandLine(["config", "check", "--help", "--json"], {})).toEqual({
    type: "help",
    of: ["config", "check"],
    part: "help",
  });
  expect(parseCommandLine(["run", "--help-all", "-q", "p"], {})).toMatchObject({
    part: "help-all",
  });
  expect(parseCommandLine(["--help-exit", "--help"], {})).toMatchObject({ part: "help-exit" });
});

test("a flag has one type and one short name, whichever commands share it", () => {
  const seen = new Map<string, string>();
  const short = new Map<string, string>();
  for (const flags of [COMMON_FLAGS, SELF_FLAGS, ...COMMANDS.map((command) => command.flags)])
    for (const [name, { type, alias }] of Object.entries<Flag>(flags)) {
      const form = JSON.stringify([type, alias]);
      expect([name, seen.get(name) ?? form]).toEqual([name, form]);
      seen.set(name, form);
      if (typeof alias !== "string") continue;
      expect([alias, short.get(alias) ?? name]).toEqual([alias, name]);
      short.set(alias, name);
    }
});

test("a flag that may be repeated has all its values, in order, and one from its twin", () => {
  const { flags } = run(["--cwd", "a b", "--cwd=c", "x"]);
  expect(flags.texts("cwd")).toEqual(["a b", "c"]);
  expect(run(["x"], { CRUSH_RUN_CWD: "d" }).flags.texts("cwd")).toEqual(["d"]);
  expect(run(["x"]).flags.texts("cwd")).toEqual([]);
});
