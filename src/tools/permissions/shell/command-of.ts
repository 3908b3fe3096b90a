import { gitOf } from "./git-command.ts";
import { isPlainAwk } from "./plain-awk.ts";
import {
  plainCommand,
  programOf,
  trustedName,
  unclearCommand,
  type ShellCommand,
} from "./shell-command.ts";
import { isOperand, literal, UNKNOWN, type ShellWord } from "./shell-word.ts";
import { setsVariable } from "./sets-variable.ts";
import { executedBy, isWrapper, replacedBy, replacedIn, unwrap } from "./wrappers.ts";

/** Reads a text as a command line of its own. */
export type ReadLine = (text: string) => readonly ShellCommand[];

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "ksh", "rbash"]);
const FOREIGN_SHELLS: ReadonlySet<string> = new Set(["zsh", "fish", "csh", "tcsh", "pwsh"]);
/** They run a text, or a command on a screen, a machine or a clock of their own. */
const RUN_ANYTHING: ReadonlySet<string> = new Set(
  "su ssh watch script parallel entr at batch screen tmux expect chroot unshare nsenter runuser pkexec systemd-run flock strace ltrace gdb taskset chrt unbuffer doit crontab setarch linux32 linux64 prlimit setpriv numactl fakeroot bwrap firejail proot rlwrap run-parts start-stop-daemon dbus-run-session xvfb-run valgrind perf hyperfine chronic sg ed ex vi vim nvim emacs".split(
    " ",
  ),
);
/** What the shell does after them is not what it looks like. */
const CHANGE_THE_SHELL: ReadonlySet<string> = new Set(
  "source . alias unalias shopt enable hash bind complete compgen compopt fc history let".split(
    " ",
  ),
);
const INTERPRETERS =
  /^(python[\d.]*|pypy[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|deno|bun|php[\d.]*|lua[\d.]*|tclsh|osascript|Rscript)$/;
/** The last one is code in the same word, `-e'…'`, but for what an option of other letters holds (`-Ilib`, `-mpytest`). */
const CODE =
  /^-[a-zA-Z\d]*[ceErp]$|^--(eval|print|exec|command|run)(=|$)|^(eval|repl)$|^-(?![ImMWXxQFirdD])[a-zA-Z\d]*[ceE]/;
/** Files whose text is not on the disk. */
const NO_SCRIPT = /(^|\/)(dev|proc)\//;

/** A command with everything that it is known to run. */
export function commandOf(words: readonly ShellWord[], read: ReadLine): ShellCommand {
  const program = programOf(words);
  if (program === null || program === "")
    return unclearCommand(words, "the name of the program is not known yet");
  const name = trustedName(words[0]?.text ?? "");
  if (isWrapper(program)) return wrapperOf(program, words, read);
  if (SHELLS.has(program)) return shellOf(program, words, read);
  if (program === "find" || program === "fd" || program === "fdfind")
    return searchOf(program, words, read);
  if (name === "eval") return evalOf(words, read);
  if (name === "trap") return trapOf(words, read);
  if (program === "git") return gitOf(words);
  const unclear = uncertainty(program, words);
  return unclear === null ? plainCommand(words) : unclearCommand(words, unclear);
}

function uncertainty(program: string, words: readonly ShellWord[]): string | null {
  if (FOREIGN_SHELLS.has(program) || RUN_ANYTHING.has(program))
    return `${program} may run any command`;
  if (/^ld(-linux[^/]*)?\.so/.test(program)) return `${program} may run any command`;
  if (
    /^(npx|npm|pnpm)$/.test(program) &&
    words.some(({ text }) => /^(-c$|--call)/.test(text ?? ""))
  )
    return `${program} runs a text as a program`;
  if (CHANGE_THE_SHELL.has(program)) return `${program} changes what the shell does`;
  if (/^[gmn]?awk$/.test(program) && !isPlainAwk(words)) return `${program} may run any command`;
  if (INTERPRETERS.test(program) && runsText(words)) return `${program} runs a text as a program`;
  return setsVariable(program, words);
}

function wrapperOf(program: string, words: readonly ShellWord[], read: ReadLine): ShellCommand {
  if (program === "command" && /^-[pvV]*[vV]/.test(words[1]?.text ?? ""))
    return plainCommand(words);
  const { at, actsItself, unclear, split } = unwrap(program, words);
  const replaced = program === "xargs" ? replacedBy(words.slice(1, at)) : null;
  const inner = words
    .slice(at)
    .map((word) => (replaced === null ? word : replacedIn(word, replaced)));
  if (program === "xargs" && replaced === null) inner.push(UNKNOWN);
  const isEmpty = at >= words.length;
  const echoes = isEmpty && program === "xargs" ? [literal("echo")] : [];
  // What stands there counts as well: of `xargs -I{} sh -c 'rm {}'` it is known that it removes.
  const written = replaced === null ? [] : [words.slice(at)];
  const runs =
    split !== null
      ? read(split)
      : isEmpty
        ? []
        : [inner, ...written].map((one) => commandOf(one, read));
  if (unclear !== null) return unclearCommand(words, unclear, runs);
  if (isEmpty && echoes.length === 0) return plainCommand(words);
  const ran = echoes.length > 0 ? [plainCommand(echoes)] : runs;
  return { ...plainCommand(words), runs: ran, actsItself, telling: at };
}

function shellOf(program: string, words: readonly ShellWord[], read: ReadLine): ShellCommand {
  let isCommand = false;
  for (let at = 1; at < words.length; at += 1) {
    const text = words[at]?.text ?? null;
    if (text === null) return unclearCommand(words, `${program} runs what is not known yet`);
    if (/^--(version|help)$/.test(text)) return plainCommand(words);
    if (/^[-+][A-Za-z]*o$/.test(text)) at += 1;
    else if (/^-[abefhklmnptuvxBCHPE]*c[abefhklmnptuvxBCHPE]*$/.test(text)) isCommand = true;
    else if (/^[-+][abefhklmnptuvxBCHPE]+$|^--(norc|noprofile|login|posix)?$/.test(text)) continue;
    else if (/^[-+]/.test(text)) return unclearCommand(words, `${program} has the option ${text}`);
    else if (!isCommand)
      return NO_SCRIPT.test(text)
        ? unclearCommand(words, `${program} runs what it reads`)
        : plainCommand(words);
    else return { ...plainCommand(words), runs: read(text), actsItself: false, telling: at };
  }
  return unclearCommand(words, `${program} runs what it reads`);
}

function searchOf(program: string, words: readonly ShellWord[], read: ReadLine): ShellCommand {
  if (words.some(({ text, start, many }) => text === null && many && !/^[./]/.test(start)))
    return unclearCommand(words, `${program} gets words that are not known yet`);
  const executed = executedBy(program, words);
  const runs = executed.map((one) => commandOf(one.words, read));
  return { ...plainCommand(words), runs, telling: executed[0]?.at ?? 0 };
}

function evalOf(words: readonly ShellWord[], read: ReadLine): ShellCommand {
  const texts = words.slice(1).map(({ text }) => text);
  if (texts.includes(null)) return unclearCommand(words, "eval runs what is not known yet");
  return { ...plainCommand(words), runs: read(texts.join(" ")), actsItself: false, telling: 1 };
}

function trapOf(words: readonly ShellWord[], read: ReadLine): ShellCommand {
  const [, action] = words;
  if (action === undefined || /^(-|-[lp]|)$/.test(action.text ?? "?")) return plainCommand(words);
  if (action.text === null) return unclearCommand(words, "trap runs what is not known yet");
  return { ...plainCommand(words), runs: read(action.text), actsItself: false, telling: 1 };
}

/** Code in an option, or on standard input. */
function runsText(words: readonly ShellWord[]): boolean {
  const rest = words.slice(1);
  if (rest.some(({ text, start }) => CODE.test(text ?? start) || text === "-")) return true;
  if (
    programOf(words)?.startsWith("php") === true &&
    rest.some(({ start }) => start.startsWith("-r"))
  )
    return true;
  if (NO_SCRIPT.test(rest.find(isOperand)?.text ?? "")) return true;
  const asks =
    programOf(words)?.startsWith("py") === true // `python -v` reads a program
      ? /^(--version|--help|-V)$/
      : /^(--version|--help|-V|-v|--check|--test)$/;
  if (rest.some(({ text }) => asks.test(text ?? ""))) return false;
  return !rest.some((word) => word.text === null || !word.text.startsWith("-"));
}
