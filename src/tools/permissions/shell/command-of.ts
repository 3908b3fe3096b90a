import { isHarmlessVariable } from "./harmless-variable.ts";
import { isPlainAwk } from "./plain-awk.ts";
import {
  plainCommand,
  programOf,
  trustedName,
  unclearCommand,
  type ShellCommand,
} from "./shell-command.ts";
import { literal, type ShellWord } from "./shell-word.ts";
import { executedBy, isWrapper, unwrap } from "./wrappers.ts";

/** Reads a text as a command line of its own. */
export type ReadLine = (text: string) => readonly ShellCommand[];

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "ksh", "rbash"]);
const FOREIGN_SHELLS: ReadonlySet<string> = new Set(["zsh", "fish", "csh", "tcsh", "pwsh"]);
/** They run a text, or a command on a screen, a machine or a clock of their own. */
const RUN_ANYTHING: ReadonlySet<string> = new Set(
  "su ssh watch script parallel entr at batch screen tmux expect chroot unshare nsenter runuser pkexec systemd-run flock strace ltrace gdb taskset chrt unbuffer doit crontab".split(
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
  /^(python[\d.]*|pypy[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|deno|bun|php[\d.]*|lua[\d.]*|tclsh|osascript|Rscript|ed|ex|vi|vim)$/;
const CODE = /^-[a-zA-Z]*[ceErp]$|^--(eval|print|exec|command|run)(=|$)|^(eval|repl)$/;

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
  if (CHANGE_THE_SHELL.has(program)) return `${program} changes what the shell does`;
  if (/^[gmn]?awk$/.test(program) && !isPlainAwk(words)) return `${program} may run any command`;
  if (INTERPRETERS.test(program) && runsText(words)) return `${program} runs a text as a program`;
  return setsVariable(program, words);
}

function wrapperOf(program: string, words: readonly ShellWord[], read: ReadLine): ShellCommand {
  if (program === "command" && /^-[pvV]*[vV]/.test(words[1]?.text ?? ""))
    return plainCommand(words);
  const { at, actsItself, unclear, split } = unwrap(program, words);
  const inner = words.slice(at);
  if (program === "xargs") inner.push({ text: null, start: "", many: true });
  const isEmpty = at >= words.length;
  const echoes = isEmpty && program === "xargs" ? [literal("echo")] : [];
  const runs = split !== null ? read(split) : isEmpty ? [] : [commandOf(inner, read)];
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
    else if (!isCommand) return plainCommand(words);
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

const HARMLESS_SETTING =
  /^(user|color|advice|init|gc)\.|^(commit|tag)\.gpgsign$|^core\.(quotepath|autocrlf)$/i;

/** An alias or a setting can be a command; the options before the subcommand hide it from no deny rule. */
function gitOf(words: readonly ShellWord[]): ShellCommand {
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
    if (
      /^(-C|-c|--git-dir|--work-tree|--namespace|--config-env|--super-prefix|--attr-source)$/.test(
        text,
      )
    )
      at += 1;
  }
  const bare = at > 1 ? [plainCommand([literal("git"), ...words.slice(at)])] : [];
  if (unclear !== null) return unclearCommand(words, unclear, bare);
  return { ...plainCommand(words), alsoKnownAs: bare[0]?.words ?? null };
}

/** Code in an option, or on standard input. */
function runsText(words: readonly ShellWord[]): boolean {
  const rest = words.slice(1);
  if (rest.some(({ text, start }) => CODE.test(text ?? start) || text === "-")) return true;
  if (rest.some(({ text }) => /^(--version|--help|-V|-v|--check|--test)$/.test(text ?? "")))
    return false;
  return !rest.some((word) => word.text === null || !word.text.startsWith("-"));
}

/** Builtins that set variables by name; an index in the name may run a command. */
function setsVariable(program: string, words: readonly ShellWord[]): string | null {
  const rest = words.slice(1);
  const texts = rest.map(({ text, start }) => text ?? start);
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
      if (rest.some(({ many }) => many)) return strange([""]);
      return strange(
        texts.filter(
          (text, at) => !text.startsWith("-") && !/^-[a-z]*[dinNptu]$/.test(texts[at - 1] ?? ""),
        ),
      );
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
