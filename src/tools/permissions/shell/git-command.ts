import { plainCommand, unclearCommand, type ShellCommand } from "./shell-command.ts";
import { isOperand, literal, type ShellWord } from "./shell-word.ts";

/** Settings that name no command, no directory of hooks, no other settings. */
const HARMLESS_SETTING =
  /^(user|color|advice|branch|push|pull|fetch)\.|^remote\..*\.(url|pushurl|fetch)(=|$)|^(commit|tag)\.gpgsign\b|^core\.(quotepath|autocrlf|eol|filemode|ignorecase)\b|^init\.defaultbranch\b|^gc\.auto\b|^merge\.(ff|conflictstyle)\b|^rerere\.enabled\b/i;

const VALUED =
  /^(-C|-c|--git-dir|--work-tree|--namespace|--config-env|--super-prefix|--attr-source)$/;

/** Options by which a subcommand runs a command; all there is for those that do nothing else. */
const RUNS: Readonly<Record<string, RegExp>> = {
  archive: /^--exec/,
  bisect: /^run$/,
  clone: /^(-[a-zA-Z\d]*[uc]|--(upload-pack|conf|templ))/,
  difftool: /^/,
  fetch: /^--upl/,
  "fetch-pack": /^--(upl|exec)/,
  "filter-branch": /^/,
  "for-each-repo": /^/,
  grep: /^(-[a-zA-Z\d]*O|--op)/,
  hook: /^/,
  "ls-remote": /^--(upl|exec)/,
  mergetool: /^/,
  pull: /^--upl/,
  push: /^--(rece|exec)/,
  rebase: /^(-[a-zA-Z]*x|--ex)/,
  "send-email": /^/,
  submodule: /^foreach$/,
};

/** An alias or a setting can be a command; the options before the subcommand hide it from no deny rule. */
export function gitOf(words: readonly ShellWord[]): ShellCommand {
  let at = 1;
  let unclear: string | null = null;
  for (; at < words.length; at += 1) {
    const text = words[at]?.text ?? null;
    if (text === null || !text.startsWith("-")) break;
    if (text === "-c" || text.startsWith("--config-env")) {
      const setting = text === "-c" ? (words[at + 1]?.text ?? "") : "";
      if (!HARMLESS_SETTING.test(setting)) unclear = "a setting of git may name a command";
    }
    if (text.startsWith("--exec-path=")) unclear = "git runs programs of another place";
    if (VALUED.test(text)) at += 1;
  }
  const bare = at > 1 ? [plainCommand([literal("git"), ...words.slice(at)])] : [];
  unclear ??= runsMore(words.slice(at));
  if (unclear !== null) return unclearCommand(words, unclear, bare);
  return { ...plainCommand(words), alsoKnownAs: bare[0]?.words ?? null };
}

function runsMore([subcommand, ...words]: readonly ShellWord[]): string | null {
  const name = subcommand?.text ?? "";
  if (name === "config" && setsSomething(words)) return "a setting of git may name a command";
  const runs = Object.hasOwn(RUNS, name) ? RUNS[name] : undefined;
  if (runs === undefined) return null;
  return [literal(""), ...words].some(({ text, start }) => runs.test(text ?? start))
    ? `git ${name} may run any command`
    : null;
}

/** `git config`, unless it only shows, or sets what is harmless. */
function setsSomething(words: readonly ShellWord[]): boolean {
  const reads = /^(--get.*|--list|-l|get|list)$/;
  if (words.some(({ text }) => reads.test(text ?? ""))) return false;
  const [key, value] = words.filter((word) => isOperand(word) && word.text !== "set");
  return value !== undefined && !HARMLESS_SETTING.test(key?.text ?? "");
}
