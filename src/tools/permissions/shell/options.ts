import type { ShellWord } from "./shell-word.ts";

/**
 * Whether an option may be among the words: its long name or a beginning of it (`--outp=f`), or its letter anywhere in a group
 * (`-uof`). A word that is not known yet may be any option, unless it begins like none.
 */
export function mayHaveOption(
  words: readonly ShellWord[],
  { letters = "", long = [] }: { readonly letters?: string; readonly long?: readonly string[] },
): boolean {
  for (const { text, start } of words) {
    if (text === "--") return false;
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
