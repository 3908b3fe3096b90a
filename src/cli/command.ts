import type { Flags } from "./flag-values.ts";
import type { FlagTable } from "./flags.ts";

/** One command of the program: what the command line is checked against, what help says, what is done. */
export interface Command {
  /** As it is typed after `crush`; two words for one of a group. */
  readonly name: string;
  /** Other names for the last word of it. */
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly flags: FlagTable;
  readonly words: Words;
  /** Command line and what it is for. */
  readonly examples: readonly (readonly [line: string, why: string])[];
  /** Resolves with the exit status. Loads what it needs. */
  readonly perform: (words: readonly string[], flags: Flags) => Promise<number>;
}

/** What stands beside the flags. */
export interface Words {
  /** As help shows it: `[prompt..]`; empty for none. */
  readonly shown: string;
  readonly describe: string;
  readonly least: number;
  readonly most: number;
  /** Of a command that was given too few: what it needs, and where to find it. */
  readonly missing: readonly [need: string, remedy: string];
}

export const NO_WORDS: Words = { shown: "", describe: "", least: 0, most: 0, missing: ["", ""] };
