import { isOperand, type ShellWord } from "./shell-word.ts";

/** Of `git`: they take no word after them. */
const ALONE =
  /^--(cached|staged|stat|name-only|name-status|oneline|patch|numstat|shortstat|all|graph)$/;

/** Whether options end here: `--` after an option may be its value, as in `git grep -e -- -Oless`. */
const endsOptions = (words: readonly ShellWord[], at: number): boolean => {
  const before = words[at - 1];
  return before === undefined || isOperand(before) || ALONE.test(before.text ?? "");
};

/**
 * Whether an option may be among the words: its long name or a beginning of it (`--outp=f`), or its letter anywhere in a group
 * (`-uof`). A word that is not known yet may be any option, unless it begins like none.
 */
export function mayHaveOption(
  words: readonly ShellWord[],
  { letters = "", long = [] }: { readonly letters?: string; readonly long?: readonly string[] },
): boolean {
  for (const [at, { text, start }] of words.entries()) {
    if (text === "--" && endsOptions(words, at)) return false;
    if (text === null && (start === "" || start === "-" || start === "--")) return true;
    const known = text ?? start;
    if (known.startsWith("--")) {
      const [name = ""] = known.slice(2).split("=", 1);
      if (name !== "" && long.some((one) => one.startsWith(name))) return true;
    } else if (
      /^-[^-]/.test(known) &&
      letters.split("").some((letter) => known.includes(letter, 1))
    )
      return true;
  }
  return false;
}
