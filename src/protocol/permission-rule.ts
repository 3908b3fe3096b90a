import { nearest } from "../shared/nearest.ts";
import { wildcard } from "../shared/wildcard.ts";

/** What a rule's parentheses are matched with. */
export type SubjectKind = "path" | "command" | "url";

interface KnownTool {
  /** What Crush calls that which it does (`tool:action`). */
  readonly action: string;
  /** Null for a tool that is allowed or denied as a whole. */
  readonly subject: SubjectKind | null;
  /** Tools that a rule of this name speaks for as well. */
  readonly includes: readonly string[];
}

const tool = (
  action: string,
  subject: SubjectKind | null,
  ...includes: readonly string[]
): KnownTool => ({ action, subject, includes });

/** The tools that rules can name, beside those of MCP servers. protocol.md section 8.6. */
const TOOLS: Readonly<Record<string, KnownTool>> = {
  view: tool("read", "path", "grep"),
  ls: tool("list", "path"),
  glob: tool("list", "path"),
  grep: tool("read", "path"),
  edit: tool("write", "path"),
  write: tool("write", "path", "edit"),
  bash: tool("execute", "command"),
  fetch: tool("fetch", "url"),
};

const MCP = "mcp_";
const MCP_ACTION = "execute";

/** One rule, understood. */
export interface PermissionRule {
  /** As it was written; this is how a refusal names it. */
  readonly text: string;
  /** The name of a tool, in which `*` stands for any characters. */
  readonly name: string;
  /** What stands in the parentheses; null for the tool as a whole. */
  readonly pattern: string | null;
  /** `write` is not `edit`: an entry of Crush's `allowed_tools`. */
  readonly exact: boolean;
}

export interface RuleProblem {
  readonly problem: string;
  readonly remedy: string;
}

const isTool = (name: string): boolean => Object.hasOwn(TOOLS, name);
export const isMcpTool = (name: string): boolean => name.startsWith(MCP);

/** What calls of the tools that a name stands for are matched with; null for tools without any. */
export const kindOf = (name: string): SubjectKind | null =>
  Object.entries(TOOLS).find(([known]) => wildcard(name, known))?.[1].subject ?? null;

/**
 * Reads `tool`, `tool:action` or `tool(pattern)`. A rule that would never say anything is a problem: nobody writes one on purpose,
 * and a deny rule that says nothing allows what it was meant to forbid.
 */
export function parseRule(written: string): PermissionRule | RuleProblem {
  const text = written.trim();
  const [, name = "", action, pattern] =
    /^([\w*.-]*)(?::([\w*-]*))?(?:\(([\s\S]*)\))?$/.exec(text) ?? [];
  if (name === "")
    return problem(
      `${JSON.stringify(written)} is no permission rule`,
      "write tool, tool:action or tool(pattern), such as bash(git *)",
    );
  const meant = Object.keys(TOOLS).filter((known) => wildcard(name, known));
  if (meant.length === 0 && !mayBeMcp(name)) return unknownTool(text, name);
  if (action !== undefined) {
    if (pattern !== undefined)
      return problem(`${text} has an action and a pattern`, `write ${name}(${pattern})`);
    const actions = actionsOf(meant, name);
    if (!actions.includes(action))
      return problem(
        `${text}: ${name} has no action ${JSON.stringify(action)}`,
        `write ${name}:${actions[0] ?? MCP_ACTION}, or ${name}`,
      );
    return { text, name, pattern: null, exact: false };
  }
  if (pattern === undefined) return { text, name, pattern: null, exact: false };
  return withPattern(text, name, meant, pattern);
}

/** An entry of `permissions.allowed_tools`: exact names, no wildcards; one that names nothing says nothing, as in Crush. */
export function crushRule(entry: string): PermissionRule | null {
  const [, name = "", action] = /^([\w.-]+)(?::([\w-]+))?$/.exec(entry) ?? [];
  if (!isTool(name) && !isMcpTool(name)) return null;
  const actions = actionsOf(isTool(name) ? [name] : [], name);
  if (action !== undefined && !actions.includes(action)) return null;
  return { text: entry, name, pattern: null, exact: true };
}

/** Whether a rule speaks of this tool at all. */
export function isAbout({ name, exact }: PermissionRule, toolName: string): boolean {
  if (wildcard(name, toolName)) return true;
  if (exact) return false;
  return Object.entries(TOOLS).some(
    ([known, { includes }]) => includes.includes(toolName) && wildcard(name, known),
  );
}

export const isProblem = (value: PermissionRule | RuleProblem): value is RuleProblem =>
  "problem" in value;

const problem = (what: string, remedy: string): RuleProblem => ({ problem: what, remedy });

function withPattern(
  text: string,
  name: string,
  meant: readonly string[],
  pattern: string,
): PermissionRule | RuleProblem {
  if (!isBalanced(pattern))
    return problem(`${text}: its parentheses do not match`, `write ${name}(pattern)`);
  if (pattern.trim() === "")
    return problem(`${text} has empty parentheses`, `write ${name} for all its calls`);
  const [kind, ...others] = [...new Set(meant.map(kindOf))];
  if (kind === undefined || kind === null)
    return problem(
      `${text}: the tools of MCP servers take no pattern`,
      `write ${name} for all its calls`,
    );
  if (others.length > 0)
    return problem(
      `${text} gives one pattern for tools of several kinds`,
      "write a rule for each tool",
    );
  if (kind === "url" && /^[^/]*@|^[a-z]+:\/\/[^/]*@/i.test(pattern))
    return problem(`${text} has credentials in its address`, "leave out what stands before the @");
  if (
    kind === "url" &&
    !/^(https?:\/\/)?[^/\s:]+(:(\d+|\*))?(\/\S*)?$/i.test(pattern) &&
    !/^(https?:\/\/)?\[[\da-f:.]+\](:(\d+|\*))?(\/\S*)?$/i.test(pattern)
  )
    return problem(
      `${text} is no pattern for addresses`,
      "write fetch(https://host/path*), fetch(https://*.example.com) or fetch(host)",
    );
  if (kind === "path" && pattern.includes("\0"))
    return problem(`${text} has a NUL character`, "leave it out");
  return { text, name, pattern, exact: false };
}

function unknownTool(text: string, name: string): RuleProblem {
  const [similar] = nearest(name, Object.keys(TOOLS), 1);
  const known = `the tools are ${Object.keys(TOOLS).join(", ")} and mcp_<server>_<tool>`;
  const hint =
    similar === undefined ? known : `did you mean ${text.replace(name, similar)}? ${known}`;
  return problem(`${text}: there is no tool ${name}`, hint);
}

function actionsOf(meant: readonly string[], name: string): readonly string[] {
  const actions = meant.map((known) => TOOLS[known]?.action ?? MCP_ACTION);
  return mayBeMcp(name) ? [...actions, MCP_ACTION] : actions;
}

/** Whether some `mcp_…` could be meant. */
const mayBeMcp = (name: string): boolean => {
  const [start = ""] = name.split("*", 1);
  return start === name
    ? isMcpTool(name) && name.length > MCP.length
    : isMcpTool(start) || MCP.startsWith(start);
};

function isBalanced(pattern: string): boolean {
  let open = 0;
  for (const letter of pattern) {
    if (letter === "(") open += 1;
    if (letter === ")") open -= 1;
    if (open < 0) return false;
  }
  return open === 0;
}
