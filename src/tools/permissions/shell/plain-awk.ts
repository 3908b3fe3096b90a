import { isOperand, type ShellWord } from "./shell-word.ts";

/** Whether an `awk` program, as it stands there, runs nothing and writes to nothing but standard output. */
export function isPlainAwk(words: readonly ShellWord[]): boolean {
  let at = 1;
  for (; at < words.length; at += 1) {
    const text = words[at]?.text ?? null;
    if (text === null) return false;
    if (text === "-F" || text === "-v") {
      at += 1;
      if (words[at]?.many === true) return false;
    } else if (text === "--") {
      at += 1;
      break;
    } else if (!/^-[Fv]./.test(text)) break;
  }
  const program = words[at]?.text ?? null;
  if (program === null || program.startsWith("-")) return false;
  return !/system|getline|[|>@]/.test(program) && words.slice(at + 1).every(isOperand);
}
