import { isHarmlessVariable } from "./harmless-variable.ts";
import { literal, type ShellWord } from "./shell-word.ts";

interface Wrapper {
  /** Option letters without a value, and with one. */
  readonly flags: string;
  readonly valued: string;
  readonly long: readonly string[];
  readonly longValued: readonly string[];
  /** Words between the options and the command. */
  readonly operands: number;
  /** It does more than run the command: as somebody else, for example. */
  readonly actsItself: boolean;
}

const wrapper = (flags = "", valued = "", more: Partial<Wrapper> = {}): Wrapper => ({
  flags,
  valued,
  long: [],
  longValued: [],
  operands: 0,
  actsItself: false,
  ...more,
});

/** Programs and builtins that run the command in their words, and the options that change nothing about that. */
const WRAPPERS: Readonly<Record<string, Wrapper>> = {
  env: wrapper("i0v", "uC", {
    long: ["ignore-environment", "null", "debug"],
    longValued: ["unset", "chdir"],
  }),
  nohup: wrapper(),
  setsid: wrapper("cfw", "", { long: ["ctty", "fork", "wait"] }),
  time: wrapper("pv", "", { long: ["portability", "verbose"] }),
  timeout: wrapper("v", "ks", {
    long: ["foreground", "preserve-status", "verbose"],
    longValued: ["kill-after", "signal"],
    operands: 1,
  }),
  nice: wrapper("0123456789", "n", { longValued: ["adjustment"] }),
  ionice: wrapper("t", "cn", { long: ["ignore"], longValued: ["class", "classdata"] }),
  stdbuf: wrapper("", "ioe", { longValued: ["input", "output", "error"] }),
  xargs: wrapper("0rtx", "IndPLsEa", {
    // The last two have a value only behind a `=`.
    long: ["null", "no-run-if-empty", "verbose", "exit", "replace", "max-lines"],
    longValued: ["max-args", "max-procs", "delimiter", "arg-file", "max-chars"],
  }),
  command: wrapper("p"),
  builtin: wrapper(),
  exec: wrapper("cl", "a"),
  busybox: wrapper(),
  toybox: wrapper(),
  sudo: wrapper("nEHkSb", "ugpCThrtD", {
    long: ["non-interactive", "preserve-env", "set-home"],
    longValued: ["user", "group"],
    actsItself: true,
  }),
  doas: wrapper("n", "uC", { actsItself: true }),
};

export interface Unwrapped {
  /** Where the command begins; the number of the words when there is none. */
  readonly at: number;
  readonly actsItself: boolean;
  /** Why it cannot be told. */
  readonly unclear: string | null;
  /** The command that `env -S` makes of a text. */
  readonly split: string | null;
}

export const isWrapper = (program: string): boolean => Object.hasOwn(WRAPPERS, program);

/** Where the command of a wrapper begins. */
export function unwrap(program: string, words: readonly ShellWord[]): Unwrapped {
  const found = WRAPPERS[program] ?? wrapper();
  const { actsItself, operands } = found;
  const end = (
    at: number,
    unclear: string | null = null,
    split: string | null = null,
  ): Unwrapped => ({
    at,
    actsItself,
    unclear,
    split,
  });
  let at = 1;
  for (; at < words.length; at += 1) {
    const text = words[at]?.text ?? null;
    if (text === null && isAssignment(program, words[at])) break;
    if (text === null) return end(at, `${program} gets words that are not known yet`);
    if (text === "--") {
      at += 1;
      break;
    }
    if (!text.startsWith("-") || (text === "-" && program !== "env")) break;
    if (program === "env" && /^(-[iv0]*S|--split-string)/.test(text))
      return end(at, "env -S takes a text apart", splitText(words, at));
    const values = valuesOf(text, found);
    if (values === null) return end(at, `${program} has the option ${text}`);
    at += values;
  }
  let unclear: string | null = null;
  if (program === "env" || program === "sudo") {
    for (; at < words.length; at += 1) {
      const text = words[at]?.text ?? words[at]?.start ?? "";
      // Whatever stands before the `=`: `env a-b=1 ls` runs `ls`.
      const name = /^([^=]*)=/.exec(text)?.[1];
      if (name === undefined) break;
      if (!isHarmlessVariable(name)) unclear ??= `it sets ${name}`;
    }
  }
  for (let left = operands; left > 0; left -= 1, at += 1) {
    const operand = words[at];
    if (operand !== undefined && operand.text === null)
      return end(at, `${program} gets words that are not known yet`);
  }
  return end(Math.min(at, words.length), unclear);
}

/** What `xargs` replaces by the words that it reads, where it appends none; null without `-I`. */
export function replacedBy(options: readonly ShellWord[]): string | null {
  let found: string | null = null;
  for (const [at, { text }] of options.entries()) {
    const short = /^-[0rtx]*I([\s\S]*)$/.exec(text ?? "")?.[1];
    if (short !== undefined) found = short === "" ? (options[at + 1]?.text ?? "") : short;
    const long = /^--replace(?:=([\s\S]*))?$/.exec(text ?? "");
    if (long !== null) found = long[1] ?? "{}";
  }
  return found;
}

/** The word as it may be once that was replaced in it. */
export function replacedIn(word: ShellWord, replaced: string): ShellWord {
  const at = word.text?.indexOf(replaced) ?? -1;
  return at === -1 ? word : { text: null, start: word.start.slice(0, at), many: false };
}

const isAssignment = (program: string, word: ShellWord | undefined): boolean =>
  program === "env" && word !== undefined && !word.many && /^\w+=/.test(word.start);

/** How many words after it belong to the option; null when it is not known. */
function valuesOf(text: string, { flags, valued, long, longValued }: Wrapper): 0 | 1 | null {
  if (text === "-") return 0;
  if (text.startsWith("--")) {
    const [name = "", value] = text.slice(2).split("=", 2);
    if (longValued.includes(name)) return value === undefined ? 1 : 0;
    return long.includes(name) ? 0 : null;
  }
  for (let at = 1; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (valued.includes(letter)) return at + 1 === text.length ? 1 : 0;
    if (!flags.includes(letter)) return null;
  }
  return 0;
}

function splitText(words: readonly ShellWord[], at: number): string | null {
  const text = words[at]?.text ?? "";
  const rest = words.slice(at + 1).map((word) => word.text ?? '"$x"');
  const inline = text.replace(/^(-[iv0]*S|--split-string=?)/, "");
  return [inline, ...rest].join(" ");
}

/** The commands in the words of `find` and `fd`, each as its beginning and end. */
export function executedBy(
  program: string,
  words: readonly ShellWord[],
): readonly { readonly at: number; readonly words: readonly ShellWord[] }[] {
  const starts = program === "find" ? /^-(exec|ok)(dir)?$/ : /^(-x|-X|--exec|--exec-batch)$/;
  const found: { at: number; words: readonly ShellWord[] }[] = [];
  for (let at = 1; at < words.length; at += 1) {
    if (!starts.test(words[at]?.text ?? "")) continue;
    const rest = words.slice(at + 1);
    const length = rest.findIndex(({ text }, index) => text === ";" || (text === "+" && index > 0));
    const inner = rest.slice(0, length === -1 ? rest.length : length);
    found.push({ at: at + 1, words: inner.map(withFile) });
    at += inner.length;
  }
  return found;
}

/** `{}` is a name that is not known yet; it begins as the search does, or with `./`. */
const withFile = (word: ShellWord): ShellWord =>
  word.text?.includes("{") === true
    ? { text: null, start: "", many: false }
    : word.text === null
      ? word
      : literal(word.text);
