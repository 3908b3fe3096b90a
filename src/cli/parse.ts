import yargsParser from "yargs-parser";
import type { RunFailed } from "../protocol/ending.ts";
import { Flags } from "./flag-values.ts";
import { COMMON_FLAGS, RUN_FLAGS, SELF_FLAGS, WAIT_FLAGS, type Flag } from "./flags.ts";
import { writeOut } from "./tokens.ts";
import { usage } from "./usage.ts";

/** What was asked for. */
export type CommandLine =
  | { readonly command: "run"; readonly words: readonly string[]; readonly flags: Flags }
  | { readonly command: "models"; readonly filter: string | null; readonly flags: Flags }
  | { readonly command: "runs"; readonly flags: Flags }
  | {
      readonly command: "show" | "wait" | "attach" | "cancel";
      readonly runId: string;
      readonly flags: Flags;
    }
  | { readonly command: "help"; readonly of: string | null }
  | { readonly command: "version" };

type Env = Readonly<Record<string, string | undefined>>;
type FlagTable = Readonly<Record<string, Flag>>;

const ALL_FLAGS: FlagTable = { ...COMMON_FLAGS, ...RUN_FLAGS, ...SELF_FLAGS };

/**
 * Reads a command line. Throws `RunFailed` with reason `usage` that names the flag and the remedy. Uses the parser inside yargs; all of
 * yargs, which is slow to start, is for the help text alone (help.ts).
 */
export function parseCommandLine(argv: readonly string[], env: Env): CommandLine {
  const { tokens, restore } = writeOut(argv, ALL_FLAGS);
  const { argv: parsed, error } = yargsParser.detailed([...tokens], PARSER);
  if (error !== null) throw refused(error.message);
  const [command, ...rest] = parsed._.map((word) => restore(String(word)));
  const literal = (parsed["--"] ?? []).map((word) => restore(String(word)));
  const flags = (table: FlagTable): Flags => {
    const known: FlagTable = { ...COMMON_FLAGS, ...SELF_FLAGS, ...table };
    const unknown = Object.keys(parsed).filter(
      (name) => name !== "_" && name !== "--" && !Object.hasOwn(known, name),
    );
    if (unknown.length > 0) throw unknownFlags(unknown);
    return new Flags(parsed, known, restore, env);
  };
  if (parsed["help"] === true) return { command: "help", of: command ?? null };
  if (parsed["version"] === true) return { command: "version" };
  switch (command) {
    case "run":
    case "r":
      return { command: "run", words: [...rest, ...literal], flags: flags(RUN_FLAGS) };
    case "models": {
      const [filter, ...more] = [...rest, ...literal];
      tooMany("crush models", more);
      return { command: "models", filter: filter ?? null, flags: flags({}) };
    }
    case "runs":
      tooMany("crush runs", [...rest, ...literal]);
      return { command, flags: flags({}) };
    case "show":
    case "wait":
    case "attach":
    case "cancel": {
      const [runId, ...more] = [...rest, ...literal];
      tooMany(`crush ${command}`, more);
      if (runId === undefined)
        throw usage(`crush ${command} needs the id of a run`, "crush runs lists them");
      const waits = command === "wait" || command === "attach";
      return { command, runId, flags: flags(waits ? WAIT_FLAGS : {}) };
    }
    case undefined:
      flags(RUN_FLAGS);
      throw usage("no command was given", 'try: crush run "…", or see: crush --help');
    default:
      throw usage(
        `unknown command ${JSON.stringify(command)}`,
        'see: crush --help; or did you mean: crush run "…"',
      );
  }
}

const namesOf = (type: Flag["type"]): string[] =>
  Object.keys(ALL_FLAGS).filter((name) => ALL_FLAGS[name]?.type === type);

const PARSER: yargsParser.Options = {
  boolean: namesOf("boolean"),
  string: namesOf("string"),
  narg: Object.fromEntries(namesOf("string").map((name) => [name, 1])),
  configuration: {
    "parse-numbers": false,
    "parse-positional-numbers": false,
    "populate--": true,
    "dot-notation": false,
    "camel-case-expansion": false,
    "boolean-negation": false, // tokens.ts has written --no-… out
  },
};

function unknownFlags(names: readonly string[]): RunFailed {
  const typed = names.map((name) => `${name.length === 1 ? "-" : "--"}${name}`);
  const remedy = "see: crush run --help (put -- before a prompt that begins with a dash)";
  return usage(`unknown flag ${typed.join(", ")}`, remedy);
}

function tooMany(command: string, more: readonly string[]): void {
  const [word] = more;
  if (word !== undefined)
    throw usage(
      `${command} takes one word, ${JSON.stringify(word)} is one too many`,
      "leave it out",
    );
}

/** What the parser says, in our words. */
function refused(message: string): RunFailed {
  const valueless = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  if (valueless === undefined) return usage(message.replace(/\s+/g, " "), "see: crush --help");
  return usage(
    `--${valueless} needs a value`,
    `give it one: --${valueless}=VALUE (with = when the value begins with a dash)`,
  );
}
