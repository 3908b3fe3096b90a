import { isAbout, isMcpTool } from "../../protocol/permission-rule.ts";
import { below } from "../real-path.ts";
import { ALLOWED, type Call, type JudgedPath, type Refusal, type Verdict } from "./call.ts";
import { judgeCommandLine } from "./judge-command-line.ts";
import type { CompiledRule, Policy } from "./policy.ts";
import { allowFlag, deniedBy, listed, readOnly } from "./refusals.ts";

/**
 * What the rules say to a call. Pure. Deny rules come first and always win; then `--read-only`, then `--yolo`, then what is allowed by
 * a rule, then what rules have narrowed, then the default.
 */
export function judge(policy: Policy, call: Call): Verdict {
  const forbidden = forbiddenBy(policy.deny, call);
  if (forbidden !== null) return forbidden;
  const changing = readOnlyRefusal(policy, call);
  if (changing !== null) return changing;
  const verdict =
    call.subject.kind === "command"
      ? judgeCommandLine(policy, call.subject, judge)
      : permitted(policy, call);
  return policy.allowsRest && verdict.type === "ask" ? ALLOWED : verdict;
}

function permitted(policy: Policy, call: Call): Verdict {
  const about = policy.allow.filter(({ rule }) => isAbout(rule, call.tool));
  if (about.some((rule) => allows(rule, call))) return ALLOWED;
  const { subject } = call;
  if (subject.kind === "path" && below(policy.cwd, subject.path.real) === null)
    return outside(call.tool, subject.path);
  return narrowedBy(about, call) ?? narrowedBy(policy.narrow, call) ?? ALLOWED;
}

/** An ask when rules with patterns speak of the tool and none of them of this call. */
function narrowedBy(rules: readonly CompiledRule[], call: Call): Refusal | null {
  const about = rules.filter(({ rule }) => isAbout(rule, call.tool));
  const patterns = about.filter(
    ({ pattern }) => pattern.kind !== "all" && !(pattern.kind === "path" && pattern.reachesOut),
  );
  if (patterns.length === 0 || about.some((rule) => allows(rule, call))) return null;
  const subject = subjectText(call);
  return {
    type: "ask",
    rule: "not_in_allow_rules",
    why: `${call.tool} of ${subject} is none of what is allowed (${listed(patterns)})`,
    remedy: allowFlag(`${call.tool}(${subject})`),
  };
}

function forbiddenBy(rules: readonly CompiledRule[], call: Call): Refusal | null {
  const found = rules.find((rule) => isAbout(rule.rule, call.tool) && forbids(rule, call));
  if (found === undefined) return null;
  const { text } = found.rule;
  return deniedBy(text, `the rule ${text} forbids ${call.tool}${ofSubject(call)}`);
}

function forbids({ pattern }: CompiledRule, { subject }: Call): boolean {
  if (pattern.kind === "all") return true;
  if (pattern.kind === "path" && subject.kind === "path") return pattern.forbids(subject.path);
  return pattern.kind === "url" && subject.kind === "url" && pattern.forbids(subject.url);
}

function allows({ pattern }: CompiledRule, { subject }: Call): boolean {
  if (pattern.kind === "all") return true;
  if (pattern.kind === "path" && subject.kind === "path") return pattern.allows(subject.path);
  return pattern.kind === "url" && subject.kind === "url" && pattern.allows(subject.url);
}

const CHANGING: ReadonlySet<string> = new Set(["edit", "write"]);

/** What `--read-only` forbids whatever a rule allows; commands are judged by their parts. */
function readOnlyRefusal({ changes, allow }: Policy, { tool }: Call): Refusal | null {
  if (changes === null) return null;
  const vouched = allow.some(({ rule }) => isAbout(rule, tool) && rule.name !== "*");
  if (!CHANGING.has(tool) && !(isMcpTool(tool) && !vouched)) return null;
  return {
    ...readOnly(
      CHANGING.has(tool) ? `${tool} changes files` : `nothing is known of what ${tool} changes`,
    ),
    ...(isMcpTool(tool) && { remedy: `if it only reads, name it: ${allowFlag(tool)}` }),
  };
}

function outside(tool: string, { real }: JudgedPath): Refusal {
  return {
    type: "ask",
    rule: "outside_working_directory",
    why: `${real} is outside the working directory`,
    remedy: `${allowFlag(`${tool === "edit" ? "write" : tool}(${real})`)}, or set --cwd to a directory that contains it`,
  };
}

function subjectText({ subject }: Call): string {
  if (subject.kind === "path") return subject.path.written;
  if (subject.kind === "url") return `${subject.url.origin}${subject.url.pathname}`;
  return subject.kind === "command" ? subject.text : "";
}

const ofSubject = (call: Call): string => {
  const text = subjectText(call);
  return text === "" ? "" : ` of ${text}`;
};
