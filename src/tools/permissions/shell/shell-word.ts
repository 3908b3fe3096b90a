import type { DoubleQuotedChild, Word, WordPart } from "unbash";

/** A word of a command, as far as it is known before the shell runs it. */
export interface ShellWord {
  /** Without quotes; null when the shell decides it. */
  readonly text: string | null;
  /** What every word that it becomes begins with, as far as that is known. */
  readonly start: string;
  /** It may become several words, or none. */
  readonly many: boolean;
}

/** A word that nothing is known of. */
export const UNKNOWN: ShellWord = { text: null, start: "", many: true };

export const literal = (text: string): ShellWord => ({ text, start: text, many: false });

/** It is, or becomes, nothing that a program would take for an option. */
export const isOperand = ({ text, start }: ShellWord): boolean =>
  text === null ? start !== "" && !start.startsWith("-") : !text.startsWith("-") || text === "-";

/** For a person, in the order of the command. */
export const shown = (words: readonly ShellWord[]): string =>
  words.map(({ text, start }) => text ?? `${start}…`).join(" ");

export function shellWord({ value, parts }: Word): ShellWord {
  if (parts === undefined) return literal(value);
  let start = "";
  let isKnown = true;
  let many = false;
  for (const part of parts) {
    const text = textOf(part);
    if (text === null) {
      if (isKnown && part.type === "DoubleQuoted") start += beginningOf(part.parts);
      isKnown = false;
      many ||= isSeveral(part);
    } else if (isKnown) start += text;
  }
  if (isKnown) return { text: start, start, many: false };
  const isSubstituted = parts[0]?.type === "ProcessSubstitution";
  return { text: null, start: isSubstituted ? "/dev/fd/" : splits(parts) ? "" : start, many };
}

/** What stands in quotes before the first part that is not known. */
function beginningOf(parts: readonly DoubleQuotedChild[]): string {
  const texts = parts.map(textOf);
  return texts.slice(0, texts.indexOf(null)).join("");
}

/** The text of a part that no shell changes; null for any other. */
function textOf(part: WordPart | DoubleQuotedChild): string | null {
  switch (part.type) {
    case "Literal":
    case "SingleQuoted":
    case "AnsiCQuoted":
      return part.value;
    case "DoubleQuoted": {
      const texts = part.parts.map(textOf);
      return texts.includes(null) ? null : texts.join("");
    }
    default:
      return null;
  }
}

const EXPANSIONS: ReadonlySet<string> = new Set([
  "SimpleExpansion",
  "ParameterExpansion",
  "CommandExpansion",
  "ArithmeticExpansion",
]);

/** Words after the first may begin with anything. */
const splits = (parts: readonly WordPart[]): boolean =>
  parts.some(
    (part) => EXPANSIONS.has(part.type) || (part.type === "DoubleQuoted" && isSeveral(part)),
  );

function isSeveral(part: WordPart): boolean {
  if (part.type === "ProcessSubstitution") return false;
  // Quoted is one word, but for "$@" and "${a[@]}".
  if (part.type === "DoubleQuoted")
    return part.parts.some((inner) => EXPANSIONS.has(inner.type) && inner.text.includes("@"));
  return true;
}
