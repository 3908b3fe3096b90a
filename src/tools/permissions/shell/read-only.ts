import { mayHaveOption } from "./options.ts";
import { isPlainAwk } from "./plain-awk.ts";
import { readsWithGit } from "./read-only-git.ts";
import { trustedName, type ShellCommand } from "./shell-command.ts";
import { isOperand, shown, type ShellWord } from "./shell-word.ts";

/** Whether the words of this command, its name first, let it only read. */
type Check = (words: readonly ShellWord[]) => boolean;

const anything: Check = () => true;
const without =
  (letters: string, ...long: readonly string[]): Check =>
  (words) =>
    !mayHaveOption(words.slice(1), { letters, long });
const showsName: Check = (words) =>
  words.slice(1).every(({ text }) => /^-[fsdiIA]$/.test(text ?? ""));
/** A second name would be that of a file to write. For some programs no option follows the first one. */
const atMostOne =
  (letters: string, ...long: readonly string[]): Check =>
  ([, ...words]) => {
    const first = words.findIndex(
      (word) => word.text === null || word.text === "--" || isOperand(word),
    );
    const operands =
      first === -1 ? [] : words.slice(words[first]?.text === "--" ? first + 1 : first);
    const isCounted = operands.length <= 1 && words.every(({ many }) => !many);
    return isCounted && !mayHaveOption(words, { letters, long });
  };
const only =
  (word: RegExp): Check =>
  (words) =>
    words.length === 2 && word.test(words[1]?.text ?? "");

const named = (names: string, check: Check): readonly (readonly [string, Check])[] =>
  names.split(" ").map((name) => [name, check] as const);

/** Programs that change nothing, however they are called or with what is checked here. */
const READERS: ReadonlyMap<string, Check> = new Map([
  ...named(
    "ls dir cat tac head tail grep egrep fgrep cut tr nl rev paste comm join fold expand unexpand od hexdump strings stat du df pwd basename dirname realpath readlink echo true false test [ : seq sleep whoami id groups uname uptime ps pgrep free lscpu nproc arch printenv which type locale tty md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum cmp diff wc column jq tsort expr numfmt factor look cal getconf getent lsblk lsof",
    anything,
  ),
  ...named("cd pushd popd exit return break continue shift wait times", anything),
  ...named("export local declare typeset readonly read unset printf set umask", anything),
  ...named("sort", without("oT", "output", "compress-program", "temporary-directory")),
  ...named("tree", without("oR", "output")),
  ...named("file", without("C", "compile")),
  ...named("rg", without("", "pre", "hostname-bin")),
  ...named("yq", without("is", "inplace", "in-place", "split-exp")),
  ...named("date", (words) => without("s", "set")(words) && words.slice(1).every(isDateFormat)),
  ...named("hostname", showsName),
  ...named("uniq", atMostOne("")),
  ...named("xxd", atMostOne("r", "revert")),
  ...named("base64 base32", without("o", "output")),
  ...named("git", readsWithGit),
  ...named("find", readsWithFind),
  ...named("fd fdfind", without("xX", "exec", "exec-batch")),
  ...named("sed", readsWithSed),
  ...named("awk gawk mawk nawk", isPlainAwk),
  // No word of theirs that a file, a target or a package could be called; `python -v` reads a program.
  ...named(
    "node npm npx pnpm yarn bun deno pip pip3 rustc ruby perl php make cmake gcc g++ clang tsc",
    only(/^(--version|-v)$/),
  ),
  ...named("java javac bash sh", only(/^--version$/)),
  ...named("python python3", only(/^(--version|-V)$/)),
  ...named("go docker kubectl cargo gh", only(/^(version|--version|-v)$/)),
]);

/** Why a command may change something, as the end of a sentence; null for one that is known only to read. */
export function whatChanges(command: ShellCommand): string | null {
  const { words, runs, actsItself, unclear } = command;
  if (unclear !== null) return unclear;
  // What it runs is judged as a command of its own.
  if (!actsItself && runs.length > 0) return null;
  const name = words[0]?.text ?? "";
  const check = READERS.get(trustedName(name));
  if (check !== undefined && check(words)) return null;
  if (isEmptyWrapper(words)) return null;
  return `${shown(words)} is not known only to read`;
}

/** `env` alone prints the environment; `command -v` and an `xargs` without a command print too. */
const isEmptyWrapper = (words: readonly ShellWord[]): boolean => {
  const [name, option] = words.map(({ text }) => text);
  return (
    (name === "env" && words.length === 1) || (name === "command" && /^-[vV]$/.test(option ?? ""))
  );
};

const isDateFormat = ({ text }: ShellWord): boolean =>
  text !== null &&
  (text.startsWith("-") || text.startsWith("+") || /^(now|today|yesterday|@\d+)$/.test(text));

function readsWithFind(words: readonly ShellWord[]): boolean {
  return words
    .slice(1)
    .every((word) =>
      word.text === null
        ? isOperand(word)
        : !/^-(delete|exec|execdir|ok|okdir|fprint|fprint0|fprintf|fls)$/.test(word.text),
    );
}

const ADDRESS = String.raw`(?:\d+|\$|/(?:\\.|[^/\\\n])*/I?)`;
const SUBSTITUTION = String.raw`s(?<d>[/|#,@:])(?:(?!\k<d>)(?:\\.|[^\\\n]))*\k<d>(?:(?!\k<d>)(?:\\.|[^\\\n]))*\k<d>[gpiI\d]*`;
const SED_COMMAND = new RegExp(
  String.raw`^\s*(?:${ADDRESS}(?:[,~]\+?${ADDRESS})?\s*!?\s*)?(?:[pdqDNPngGhHx=l{}]|${SUBSTITUTION})?\s*$`,
);

/** Only commands that are known to print, and no file to change: no `-i`, no `w`, no `e`. */
function readsWithSed(words: readonly ShellWord[]): boolean {
  const scripts: (string | null)[] = [];
  let isScriptNext = false;
  for (const { text, start } of words.slice(1)) {
    if (isScriptNext) {
      scripts.push(text);
      isScriptNext = false;
    } else if (text !== null && /^-[nErsuz]*e$|^--expression$/.test(text)) isScriptNext = true;
    else if (text?.startsWith("--expression=") === true)
      scripts.push(text.slice("--expression=".length));
    else if (
      text !== null &&
      /^(-[nErsuz]+|--(quiet|silent|regexp-extended|null-data|posix|separate))$/.test(text)
    )
      continue;
    else if ((text ?? start).startsWith("-") || (text === null && start === "")) return false;
    else if (scripts.length === 0) scripts.push(text);
  }
  return scripts.every(
    (script) => script !== null && script.split(/[;\n]/).every((one) => SED_COMMAND.test(one)),
  );
}
