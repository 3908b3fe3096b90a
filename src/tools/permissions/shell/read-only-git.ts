import { mayHaveOption } from "./options.ts";
import type { ShellWord } from "./shell-word.ts";

type Check = (words: readonly ShellWord[]) => boolean;

const anything: Check = () => true;
const texts = (words: readonly ShellWord[]): readonly string[] =>
  words.map(({ text }) => text ?? "$");
/** Options only, and not these: with a name they would make, move or remove something. */
const lists =
  (options: RegExp): Check =>
  (words) =>
    texts(words).every((text) => options.test(text));
/** Its first word is one of these. */
const begins =
  (...names: readonly string[]): Check =>
  (words) =>
    names.includes(words[0]?.text ?? "");

const LISTS_BRANCHES =
  /^(-a|-r|-v|-vv|-l|-i|--all|--remotes|--list|--verbose|--show-current|--ignore-case|--(no-)?(contains|merged|column|color|abbrev)(=.*)?|--(sort|format|points-at)=.*)$/;

/** Subcommands that change nothing, and what their words must be. */
const READING: Readonly<Record<string, Check>> = {
  annotate: anything,
  blame: anything,
  branch: lists(LISTS_BRANCHES),
  "cat-file": anything,
  "check-attr": anything,
  "check-ignore": anything,
  cherry: anything,
  config: (words) =>
    /^(--get|--get-all|--get-regexp|--list|-l|get|list)$/.test(words[0]?.text ?? "") &&
    !mayHaveOption(words, { letters: "e", long: ["edit", "unset", "replace-all", "add"] }),
  "count-objects": anything,
  describe: anything,
  diff: anything,
  "diff-files": anything,
  "diff-index": anything,
  "diff-tree": anything,
  "for-each-ref": anything,
  grep: (words) => !mayHaveOption(words, { letters: "O", long: ["open-files-in-pager"] }),
  log: anything,
  "ls-files": anything,
  "ls-tree": anything,
  "merge-base": anything,
  "name-rev": anything,
  reflog: (words) => words.length === 0 || begins("show")(words) || texts(words)[0] === "-n",
  remote: (words) =>
    words.length === 0 || lists(/^(-v|--verbose)$/)(words) || begins("get-url")(words),
  "rev-list": anything,
  "rev-parse": (words) => !mayHaveOption(words, { long: ["parseopt", "sq-quote"] }),
  shortlog: anything,
  show: anything,
  "show-branch": anything,
  "show-ref": anything,
  stash: begins("list", "show"),
  status: anything,
  submodule: begins("status"),
  tag: (words) => words.length === 0 || /^(-l|--list|-n\d*)$/.test(words[0]?.text ?? ""),
  version: anything,
  whatchanged: anything,
  worktree: begins("list"),
};

/** Whether a git command only reads. Of the options before the subcommand only those pass that name no command and no other settings. */
export function readsWithGit(words: readonly ShellWord[]): boolean {
  let at = 1;
  for (; at < words.length; at += 1) {
    const text = words[at]?.text ?? null;
    if (text === null) return false;
    if (text === "-C") at += 1;
    else if (text === "--version") return true;
    else if (!/^(--no-pager|-P|--no-optional-locks|--literal-pathspecs)$/.test(text)) break;
  }
  const subcommand = words[at]?.text ?? "";
  const rest = words.slice(at + 1);
  const check = Object.hasOwn(READING, subcommand) ? READING[subcommand] : undefined;
  if (check === undefined) return false;
  // They write to a file or run a program, wherever they are known.
  const acts = ["output", "ext-diff", "textconv", "exec", "upload-pack", "filters"];
  return check(rest) && !mayHaveOption(withoutOneline(rest), { long: acts });
}

/** `--o` begins `--output`, and so does nothing that is harmless but this. */
const withoutOneline = (words: readonly ShellWord[]): readonly ShellWord[] =>
  words.filter(({ text }) => text !== "--oneline");
