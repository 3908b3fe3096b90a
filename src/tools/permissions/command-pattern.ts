import { wildcard } from "../../shared/wildcard.ts";
import { trustedName, type ShellCommand } from "./shell/shell-command.ts";
import { UNKNOWN, type ShellWord } from "./shell/shell-word.ts";

/** Whether words match: `perhaps` when it depends on what the shell makes of them. */
export type Match = "yes" | "perhaps" | "no";

/** `git *` for commands: words apart by white space; `*` alone stands for any number of them, else for characters of one. */
export interface CommandPattern {
  /** For a deny rule: whatever may be meant by it. More words may follow. */
  readonly forbids: (command: ShellCommand) => Match;
  /** For an allow rule: only what is meant for certain. */
  readonly allows: (command: ShellCommand) => boolean;
  /** The same, and the rule says itself what is run: `env git *`, not `env *`. */
  readonly tells: (command: ShellCommand) => boolean;
}

export function commandPattern(written: string): CommandPattern {
  const pattern = written.trim().split(/\s+/);
  const open = pattern.at(-1) === "*" ? pattern : [...pattern, "*"];
  const allowed = (words: readonly ShellWord[]): boolean =>
    namesOf(words).some((named) => match(pattern, named, isSafely) === "yes");
  return {
    forbids: ({ words, alsoKnownAs }) =>
      strongest(
        [words, ...(alsoKnownAs === null ? [] : [alsoKnownAs])].flatMap((these) =>
          disguises(these).map((named) => match(open, named, wildcard)),
        ),
      ),
    allows: ({ words }) => allowed(words),
    tells: ({ words, telling }) =>
      allowed(words) && !allowed(words.map((word, at) => (at === telling ? UNKNOWN : word))),
  };
}

/** Not by a way around: `src/*` is not `src/../x`. */
const isSafely = (pattern: string, text: string): boolean =>
  pattern === text || (wildcard(pattern, text) && !/(^|\/)\.\.(\/|$)/.test(text));

const STRENGTH: readonly Match[] = ["no", "perhaps", "yes"];
const strongest = (matches: readonly Match[]): Match =>
  STRENGTH.findLast((one) => matches.includes(one)) ?? "no";

/** The command by its path and, where that is a usual one, by its name. */
function namesOf(words: readonly ShellWord[]): readonly (readonly ShellWord[])[] {
  const [name, ...rest] = words;
  if (name?.text == null) return [words];
  const short = trustedName(name.text);
  return short === name.text ? [words] : [words, [{ ...name, text: short }, ...rest]];
}

/** The command by its path, its name anywhere, and as a file system that knows no case finds it. */
function disguises(words: readonly ShellWord[]): readonly (readonly ShellWord[])[] {
  const [name, ...rest] = words;
  if (name?.text == null) return [words];
  const base = name.text.slice(name.text.lastIndexOf("/") + 1);
  return [...new Set([name.text, base, base.toLowerCase()])].map((text) => [
    { ...name, text },
    ...rest,
  ]);
}

function match(
  pattern: readonly string[],
  words: readonly ShellWord[],
  fits: (pattern: string, text: string) => boolean,
): Match {
  const known = new Map<number, Match>();
  const from = (at: number, word: number): Match => {
    const key = at * (words.length + 1) + word;
    const found = known.get(key) ?? look(at, word);
    known.set(key, found);
    return found;
  };
  const look = (at: number, next: number): Match => {
    const wanted = pattern[at];
    const word = words[next];
    if (wanted === undefined) {
      if (word === undefined) return "yes";
      return words.slice(next).every(({ text, many }) => text === null && many) ? "perhaps" : "no";
    }
    if (wanted === "*")
      return strongest([from(at + 1, next), ...(word === undefined ? [] : [from(at, next + 1)])]);
    if (word === undefined) return "no";
    if (word.text !== null) return fits(wanted, word.text) ? from(at + 1, next + 1) : "no";
    const several = word.many ? [from(at, next + 1), from(at + 1, next)] : [];
    const most = strongest([from(at + 1, next + 1), ...several]);
    return most === "no" ? "no" : "perhaps";
  };
  return from(0, 0);
}
