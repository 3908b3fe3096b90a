import { isHarmlessVariable } from "./harmless-variable.ts";
import { isOperand, type ShellWord } from "./shell-word.ts";

/** Builtins that set variables by name; an index in the name may run a command. */
export function setsVariable(program: string, words: readonly ShellWord[]): string | null {
  const rest = words.slice(1);
  // Of `"a$x"` the name is not known: it may hold an index.
  const texts = rest.map(({ text, start }) => text ?? (start.includes("=") ? start : ""));
  const strange = (names: readonly string[]): string | null => {
    const bad = names.find((name) => !isHarmlessVariable(name));
    return bad === undefined
      ? null
      : `${program} sets ${bad === "" ? "what is not known yet" : bad}`;
  };
  switch (program) {
    case "declare":
    case "typeset":
    case "local":
    case "readonly":
    case "export": {
      if (texts.some((text) => /^[-+][a-zA-Z]*[in]/.test(text)))
        return `${program} changes what a variable means`;
      return strange(
        texts.filter((text) => !/^[-+]/.test(text)).map((text) => text.replace(/\+?=[\s\S]*$/, "")),
      );
    }
    case "read": {
      return rest.some(({ many }) => many) ? strange([""]) : strange(readInto(texts));
    }
    case "mapfile":
    case "readarray":
    case "getopts":
    case "wait":
      return program === "wait" && !texts.some((text) => text.startsWith("-"))
        ? null
        : `${program} sets variables`;
    case "printf":
      return texts[0]?.startsWith("-v") === true || (rest[0]?.text === null && !rest[0].start)
        ? "printf may set a variable"
        : null;
    case "set":
      return optionsOfShell(rest);
    case "unset":
      return strange(texts.filter((text) => !text.startsWith("-")));
    case "test":
    case "[":
      return texts.some((text, at) => /^-[vR]$/.test(text) && !/^\w+$/.test(texts[at + 1] ?? ""))
        ? `${program} looks at a variable that is not known yet`
        : null;
    default:
      return null;
  }
}

/** The names behind `read` and its options; `-a` has one too. */
function readInto(texts: readonly string[]): readonly string[] {
  const names: string[] = [];
  let isOption = true;
  for (let at = 0; at < texts.length; at += 1) {
    const text = texts[at] ?? "";
    const [, letter, attached = ""] = /^-[ers]*(?:([adinNptu])([\s\S]*))?$/.exec(text) ?? [];
    if (!isOption || !text.startsWith("-") || text === "-") {
      isOption = false;
      names.push(text);
    } else if (text === "--") isOption = false;
    else if (letter !== undefined) {
      const value = attached === "" ? (texts[(at += 1)] ?? "") : attached;
      if (letter === "a") names.push(value);
    } else if (!/^-[ers]+$/.test(text)) names.push("");
  }
  return names;
}

const HARMLESS_OPTION =
  /^(allexport|braceexpand|errexit|errtrace|functrace|monitor|noclobber|noexec|noglob|notify|nounset|onecmd|physical|pipefail|verbose|xtrace)$/;

/** `set -k` makes every word with a `=` a variable of the command; others change how a line is read. */
function optionsOfShell(words: readonly ShellWord[]): string | null {
  const unclear = "set changes what the shell does";
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined || word.text === "--" || word.text === "-") return null;
    if (word.text === null || !/^[-+]/.test(word.text)) return isOperand(word) ? null : unclear;
    if (!/^[-+][abefmnuvxBCEPT]*o?$/.test(word.text)) return unclear;
    if (!word.text.endsWith("o")) continue;
    at += 1;
    const option = words[at];
    if (option !== undefined && !HARMLESS_OPTION.test(option.text ?? "")) return unclear;
  }
  return null;
}
