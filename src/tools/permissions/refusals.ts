import type { Refusal } from "./call.ts";
import type { CompiledRule } from "./policy.ts";

export const deniedBy = (rule: string, why: string): Refusal => ({
  type: "deny",
  rule,
  why,
  remedy: `if it is wanted after all, take the deny rule ${rule} away`,
});

export const readOnly = (why: string): Refusal => ({
  type: "deny",
  rule: "--read-only",
  why,
  remedy: "run it without --read-only",
});

/** What a command line keeps from being told. */
export const unknowable = (why: string): Refusal => ({
  type: "ask",
  rule: "cannot_be_judged",
  why: `the command cannot be judged by the rules for bash: ${why}`,
  remedy: "have it write the command plainly, or allow more with --allow",
});

export const listed = (rules: readonly CompiledRule[]): string =>
  rules.map(({ rule }) => rule.text).join(", ");

const LONGEST_RULE = 200;

/** The flag that would allow it, as it is typed into a shell. */
export const allowFlag = (rule: string): string =>
  rule.length > LONGEST_RULE || /[\n*]/.test(rule)
    ? "allow it with a rule: --allow 'tool(pattern)'"
    : `allow it with --allow '${rule.replaceAll("'", "'\\''")}'`;
