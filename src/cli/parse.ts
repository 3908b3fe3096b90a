import yargsParser from "yargs-parser";
import type { RunFailed } from "../protocol/ending.ts";
import type { Command } from "./command.ts";
import { COMMANDS, commandOf, groupOf } from "./commands.ts";
import { Flags } from "./flag-values.ts";
import { COMMON_FLAGS, SELF_FLAGS, type Flag, type FlagTable } from "./flags.ts";
import { RUN_FLAGS } from "./run-flags.ts";
import { writeOut } from "./tokens.ts";
import { usage } from "./usage.ts";

const HELP_PARTS = ["help-exit", "help-all", "help"] as const;
export type HelpPart = (typeof HELP_PARTS)[number];

/** What was asked for. */
export type CommandLine =
  | {
      readonly type: "command";
      readonly command: Command;
      readonly words: readonly string[];
      readonly flags: Flags;
    }
  /** `of`: the words beside the flags; none for the program itself. */
  | { readonly type: "help"; readonly of: readonly string[]; readonly part: HelpPart }
  | { readonly type: "version" };

type Env = Readonly<Record<string, string | undefined>>;

/** A name means the same flag in every command that has it: one line is read before its command is known. */
const ALL_FLAGS: FlagTable = Object.assign(
  {},
  COMMON_FLAGS,
  SELF_FLAGS,
  ...COMMANDS.map(({ flags }) => flags).reverse(),
);

/**
 * Reads a command line. Throws `RunFailed` with reason `usage` that names the flag and the remedy. Uses the parser inside yargs; all of
 * yargs, which is slow to start, is for the help text alone (help.ts).
 */
export function parseCommandLine(argv: readonly string[], env: Env): CommandLine {
  const { tokens, restore } = writeOut(argv, ALL_FLAGS);
  const { argv: parsed, error } = yargsParser.detailed([...tokens], PARSER);
  if (error !== null) throw refused(error.message);
  const typed = parsed._.map((word) => restore(String(word)));
  const literal = (parsed["--"] ?? []).map((word) => restore(String(word)));
  const flags = (of: Pick<Command, "name" | "flags">): Flags => {
    const known: FlagTable = { ...COMMON_FLAGS, ...SELF_FLAGS, ...of.flags };
    const unknown = Object.keys(parsed).filter(
      (name) => name !== "_" && name !== "--" && !Object.hasOwn(known, name),
    );
    if (unknown.length > 0) throw unknownFlags(unknown, of.name, known);
    const values = new Flags(parsed, known, restore, env);
    values.flag("debug"); // asked for only when it is too late to say that it makes no sense
    return values;
  };
  const part = HELP_PARTS.find((name) => parsed[name] === true);
  if (part !== undefined) return { type: "help", of: typed, part };
  if (parsed["version"] === true) return { type: "version" };
  const found = commandOf(typed);
  if (found === null) {
    if (typed.length === 0) flags({ name: "run", flags: RUN_FLAGS });
    throw noCommand(typed);
  }
  const { command, taken } = found;
  const words = [...typed.slice(taken), ...literal];
  checkWords(command, words);
  return { type: "command", command, words, flags: flags(command) };
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

export function noCommand([word, next]: readonly string[]): RunFailed {
  if (word === undefined)
    return usage("no command was given", 'try: crush run "…", or see: crush --help');
  const group = groupOf(word).map(({ name }) => name.slice(name.indexOf(" ") + 1));
  if (group.length === 0)
    return usage(
      `unknown command ${JSON.stringify(word)}`,
      'see: crush --help; or did you mean: crush run "…"',
    );
  const what =
    next === undefined
      ? `crush ${word} needs one more word`
      : `crush ${word} knows no ${JSON.stringify(next)}`;
  return usage(what, `it is one of: ${group.join(", ")}`);
}

function unknownFlags(names: readonly string[], command: string, known: FlagTable): RunFailed {
  // Of short flags in one word the parser takes none for known when one of them is not.
  const isAlias = (letter: string): boolean =>
    Object.values(known).some(({ alias }) => alias === letter);
  const typed = names
    .filter((name) => !isAlias(name))
    .map((name) => `${name.length === 1 ? "-" : "--"}${name}`);
  const remedy = `see: crush ${command} --help`;
  return usage(
    `unknown flag ${typed.join(", ")}`,
    command === "run" ? `${remedy} (put -- before a prompt that begins with a dash)` : remedy,
  );
}

function checkWords({ name, words: { least, most, missing } }: Command, words: readonly string[]) {
  const extra = words[most];
  if (extra !== undefined)
    throw usage(
      `crush ${name} takes ${most === 0 ? "no word" : most === 1 ? "one word" : `${most} words`}, ${JSON.stringify(extra)} is one too many`,
      "leave it out",
    );
  const [need, remedy] = missing;
  // An empty word is a variable of a script that has no value.
  if (words.length < least || (least > 0 && words[0] === ""))
    throw usage(`crush ${name} needs ${need}`, remedy);
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
