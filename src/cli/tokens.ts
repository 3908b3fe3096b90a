import type { Flag } from "./flags.ts";
import { usage } from "./usage.ts";

/** A command line in the one form that the parser cannot misunderstand. */
export interface Tokens {
  readonly tokens: readonly string[];
  /** The word as it was typed. */
  readonly restore: (word: string) => string;
}

/** Sentences travel through the parser under another name. */
const STAND_IN = "\u{E000}";

/**
 * Writes short flags and switches out: `-qm x` becomes `--quiet=true --model x`. Left to itself the parser takes `true` after a switch
 * for its value and reads `--debug=1` as false. A word with white space in it is never a flag, unless it gives a
 * known one its value (`--cwd=/my files`); what follows `--` is left alone. Throws `usage`.
 */
export function writeOut(argv: readonly string[], flags: Readonly<Record<string, Flag>>): Tokens {
  const hidden: string[] = [];
  const hide = (word: string): string => `${STAND_IN}${hidden.push(word) - 1}`;
  const restore = (word: string): string =>
    word.startsWith(STAND_IN) ? (hidden[Number(word.slice(1))] ?? word) : word;
  const opaque = (word: string): string =>
    /\s/.test(word) || word.startsWith(STAND_IN) ? hide(word) : word;
  const end = argv.indexOf("--");
  const flagged = end === -1 ? argv : argv.slice(0, end);
  const literal = end === -1 ? [] : argv.slice(end);
  const tokens = flagged.flatMap((word) => {
    const given = word.startsWith("--") ? longFlag(word, flags) : shortFlags(word, flags);
    return (
      given?.map(({ name, value }) =>
        value === null ? `--${name}` : `--${name}=${opaque(value)}`,
      ) ?? [opaque(word)]
    );
  });
  return { tokens: [...tokens, ...literal.map(opaque)], restore };
}

interface Given {
  readonly name: string;
  /** Null: it is the next word. */
  readonly value: string | null;
}

function longFlag(word: string, flags: Readonly<Record<string, Flag>>): Given[] | null {
  const [, name = "", value] = /^--([^=\s]+)(?:=(.*))?$/s.exec(word) ?? [];
  const positive = name.replace(/^no-/, "");
  const isNegated = flags[name] === undefined && flags[positive]?.type === "boolean";
  const flag = isNegated ? flags[positive] : Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag === undefined) return null;
  if (flag.type !== "boolean") return [{ name, value: value ?? null }];
  const on = switched(name, value);
  return [{ name: positive, value: String(on !== isNegated) }];
}

function shortFlags(word: string, flags: Readonly<Record<string, Flag>>): Given[] | null {
  if (/\s/.test(word) || !/^-[^-]/.test(word)) return null;
  const given: Given[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    const rest = word.slice(at + 1);
    const [name, flag] = Object.entries(flags).find(([, { alias }]) => alias === letter) ?? [];
    if (name === undefined || flag === undefined) return null;
    if (flag.type !== "boolean")
      return [...given, { name, value: rest === "" ? null : rest.replace(/^=/, "") }];
    const value = rest.startsWith("=") ? rest.slice(1) : undefined;
    given.push({ name, value: String(switched(name, value)) });
    if (value !== undefined) break;
  }
  return given;
}

const switched = (name: string, value = "true"): boolean => {
  const on = booleanOf(value);
  if (on !== null) return on;
  throw usage(`--${name} is ${JSON.stringify(value)}`, `use --${name} or --no-${name}`);
};

/** As people write it; null for anything else. */
export function booleanOf(text: string): boolean | null {
  if (/^(1|t|true)$/i.test(text)) return true;
  return /^(0|f|false)$/i.test(text) ? false : null;
}
