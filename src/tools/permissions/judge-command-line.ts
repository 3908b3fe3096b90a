import { isAbout } from "../../protocol/permission-rule.ts";
import { ALLOWED, type Call, type Refusal, type Subject, type Verdict } from "./call.ts";
import type { CompiledRule, Policy } from "./policy.ts";
import { allowFlag, deniedBy, listed, readOnly, unknowable } from "./refusals.ts";
import { programOf, type ShellCommand } from "./shell/shell-command.ts";
import { shown } from "./shell/shell-word.ts";

type CommandSubject = Extract<Subject, { kind: "command" }>;
type CommandPart = Extract<CompiledRule["pattern"], { kind: "command" }>;

const BASH = "bash";
const WRITE = "write";

/** Whether a command line has to be taken apart to be judged. */
export const looksAtCommands = ({ deny, allow, narrow, changes }: Policy): boolean =>
  changes !== null ||
  [...deny, ...allow, ...narrow].some(({ pattern }) => pattern.kind === "command") ||
  judgesWrites({ deny, allow, narrow });

/** A redirection is judged as a `write` once rules speak of writing, or commands are narrowed. */
const judgesWrites = ({
  deny,
  allow,
  narrow,
}: Pick<Policy, "deny" | "allow" | "narrow">): boolean =>
  deny.some(({ rule }) => isAbout(rule, WRITE)) ||
  [...allow, ...narrow].some(
    ({ rule, pattern }) =>
      pattern.kind === "command" || (isAbout(rule, WRITE) && pattern.kind !== "all"),
  );

/** All parts of a command line must be allowed; one that is forbidden forbids it. What cannot be told is an ask. */
export function judgeCommandLine(
  policy: Policy,
  { line, writes }: CommandSubject,
  judge: (policy: Policy, call: Call) => Verdict,
): Verdict {
  if (line === null) return ALLOWED;
  const commands = line.commands.flatMap(withAllItRuns);
  const deny = patternsOf(policy.deny);
  for (const command of commands)
    for (const { forbids, text } of deny)
      if (forbids(command) === "yes")
        return deniedBy(text, `the rule ${text} forbids ${shown(command.words)}`);

  const asks: Refusal[] = [];
  if (policy.changes !== null) {
    const [why] = [...line.unclear, ...commands.flatMap((one) => policy.changes?.(one) ?? [])];
    if (why !== undefined) return readOnly(`only commands that read are allowed, and ${why}`);
    if (writes.length > 0) return readOnly("the command writes to a file");
  }
  if (judgesWrites(policy) && policy.changes === null)
    for (const path of writes) {
      const verdict: Verdict =
        path === null
          ? unknowable("it writes to a file whose name is not known yet")
          : judge(
              { ...policy, allowsRest: false },
              { tool: WRITE, subject: { kind: "path", path } },
            );
      if (verdict.type === "deny") return verdict;
      if (verdict.type === "ask") asks.push(verdict);
    }

  const narrowing = narrowingRules(policy);
  const allow = patternsOf(policy.allow);
  if (deny.length > 0 || narrowing.length > 0) {
    asks.push(...line.unclear.map(unknowable));
    for (const command of commands) {
      const isTold = allow.some(({ tells }) => tells(command));
      if (command.unclear !== null && !isTold) asks.push(unknowable(command.unclear));
      const perhaps = deny.find(({ forbids }) => forbids(command) === "perhaps");
      if (perhaps !== undefined)
        asks.push(unknowable(`${shown(command.words)} may be what ${perhaps.text} forbids`));
    }
  }
  for (const rules of narrowing) {
    const patterns = [...allow, ...patternsOf(rules)];
    const [stranger] = line.commands.flatMap((one) => strangersIn(one, patterns));
    if (stranger !== undefined) asks.push(notAllowed(stranger, rules));
  }
  return asks[0] ?? ALLOWED;
}

/** The rules that narrow commands to what they name. Nothing narrows a `bash` that is allowed as a whole. */
function narrowingRules({ allow, narrow }: Policy): readonly (readonly CompiledRule[])[] {
  if (allow.some(({ rule, pattern }) => pattern.kind === "all" && isAbout(rule, BASH))) return [];
  return [allow, narrow]
    .map((rules) => rules.filter(({ pattern }) => pattern.kind === "command"))
    .filter((rules) => rules.length > 0);
}

const patternsOf = (
  rules: readonly CompiledRule[],
): readonly (CommandPart & { readonly text: string })[] =>
  rules.flatMap(({ rule, pattern }) =>
    pattern.kind === "command" ? [{ ...pattern, text: rule.text }] : [],
  );

const notAllowed = ({ words }: ShellCommand, rules: readonly CompiledRule[]): Refusal => ({
  type: "ask",
  rule: "not_in_allow_rules",
  why: `${shown(words)} is none of the commands that are allowed (${listed(rules)})`,
  remedy: allowFlag(`bash(${shown(words)})`),
});

const withAllItRuns = (command: ShellCommand): readonly ShellCommand[] => [
  command,
  ...command.runs.flatMap(withAllItRuns),
];

/** Builtins that touch nothing but the shell that runs them need no rule. */
const OF_THE_SHELL: ReadonlySet<string> = new Set(
  "cd pushd popd pwd : true false exit return break continue shift set test [ echo printf read wait export local declare typeset readonly unset".split(
    " ",
  ),
);

/** The commands of a command that no rule allows. */
function strangersIn(
  command: ShellCommand,
  patterns: readonly CommandPart[],
): readonly ShellCommand[] {
  if (patterns.some(({ tells }) => tells(command))) return [];
  const name = command.words[0]?.text ?? "";
  const isKnown =
    !command.actsItself ||
    patterns.some(({ allows }) => allows(command)) ||
    (OF_THE_SHELL.has(name) && programOf(command.words) === name);
  if (!isKnown || command.unclear !== null) return [command];
  return command.runs.flatMap((one) => strangersIn(one, patterns));
}
