import type { ShellWord } from "./shell-word.ts";

/** One command of a command line, with the commands that it runs itself. */
export interface ShellCommand {
  readonly words: readonly ShellWord[];
  /** What it runs: `timeout 5 git status` runs `git status`. */
  readonly runs: readonly ShellCommand[];
  /** It does something of its own, beside what it runs. */
  readonly actsItself: boolean;
  /** Why it cannot be told what it runs, as the end of a sentence; null when it can. */
  readonly unclear: string | null;
  /** A rule that says this word means this very command, whatever it runs. */
  readonly telling: number;
  /** The same without what hides its name from a deny rule: `git -C elsewhere push` is `git push`. */
  readonly alsoKnownAs: readonly ShellWord[] | null;
}

/** A file that a redirection writes to; `text` is null when the shell decides it. */
export interface RedirectedFile {
  readonly text: string | null;
}

/** All that a command line does, as far as it can be told. */
export interface CommandLine {
  readonly commands: readonly ShellCommand[];
  readonly writes: readonly RedirectedFile[];
  /** Why something in it cannot be judged, each as the end of a sentence. */
  readonly unclear: readonly string[];
  /** A relative path later on may mean another file. */
  readonly changesDirectory: boolean;
}

export const plainCommand = (words: readonly ShellWord[]): ShellCommand => ({
  words,
  runs: [],
  actsItself: true,
  unclear: null,
  telling: 0,
  alsoKnownAs: null,
});

export const unclearCommand = (
  words: readonly ShellWord[],
  unclear: string,
  runs: readonly ShellCommand[] = [],
): ShellCommand => ({ ...plainCommand(words), runs, unclear });

const STANDARD = /^(\/usr(\/local)?)?\/s?bin\/[^/]+$|^\/opt\/homebrew\/bin\/[^/]+$/;

/** The name of the program without its directory; null when the shell decides it. */
export const programOf = ([name]: readonly ShellWord[]): string | null =>
  name?.text == null ? null : name.text.slice(name.text.lastIndexOf("/") + 1);

/** Its name, if that is looked for in the usual places or stands there; else its path. */
export const trustedName = (name: string): string =>
  STANDARD.test(name) ? name.slice(name.lastIndexOf("/") + 1) : name;
