import type { CommandLine } from "./shell/shell-command.ts";

/** A file as rules see it. */
export interface JudgedPath {
  /** Without a symbolic link in it. */
  readonly real: string;
  /** As it was written, made absolute. */
  readonly written: string;
}

/** What one call touches. */
export type Subject =
  | { readonly kind: "path"; readonly path: JudgedPath }
  | {
      readonly kind: "command";
      readonly text: string;
      /** Taken apart; null when no rule looks at commands. */
      readonly line: CommandLine | null;
      /** What its redirections write to; null for what is not known yet. */
      readonly writes: readonly (JudgedPath | null)[];
    }
  | { readonly kind: "url"; readonly url: URL }
  | { readonly kind: "none" };

export interface Call {
  readonly tool: string;
  readonly subject: Subject;
}

export interface Refusal {
  /** `deny`: a rule forbids it. `ask`: somebody would have to approve it. */
  readonly type: "deny" | "ask";
  /** The rule as it was written, or a word for what has no rule. */
  readonly rule: string;
  /** What is refused, and why, as a sentence without its period. */
  readonly why: string;
  readonly remedy: string;
}

export type Verdict = { readonly type: "allow" } | Refusal;

export const ALLOWED: Verdict = { type: "allow" };
