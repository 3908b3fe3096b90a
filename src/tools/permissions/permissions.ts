import { resolve } from "node:path";
import type { PermissionRule } from "../../protocol/permission-rule.ts";
import type { OnAsk } from "../../protocol/permission-options.ts";
import { realPathOf } from "../real-path.ts";
import { failed } from "../tool-result.ts";
import type { ToolResult } from "../tool.ts";
import type { JudgedPath, Refusal, Subject } from "./call.ts";
import { judge } from "./judge.ts";
import { looksAtCommands } from "./judge-command-line.ts";
import { defaultPolicy, type Policy } from "./policy.ts";

/** What a run may do, as flags and configuration say it. */
export interface PermissionSettings {
  readonly allow: readonly PermissionRule[];
  /** Rules of a project that is not trusted, that allow what is allowed anyway: they can only narrow it. */
  readonly narrow: readonly PermissionRule[];
  readonly deny: readonly PermissionRule[];
  readonly readOnly: boolean;
  readonly yolo: boolean;
  readonly onAsk: OnAsk;
}

export const DEFAULT_SETTINGS: PermissionSettings = {
  allow: [],
  narrow: [],
  deny: [],
  readOnly: false,
  yolo: false,
  onAsk: "deny",
};

/** What a tool asks leave for. */
export type Wish =
  | { readonly kind: "path"; readonly path: JudgedPath }
  | { readonly kind: "command"; readonly text: string }
  | { readonly kind: "url"; readonly url: URL }
  | { readonly kind: "none" };

/** The one judge of all tool calls of a run: built-in tools and those of MCP servers. */
export interface Permissions {
  readonly onAsk: OnAsk;
  /** Null for a call that may go on, else what the model is told instead. */
  readonly permit: (tool: string, wish: Wish) => Promise<ToolResult | null>;
  /** Whether a deny rule keeps a file out of what a tool lists; null when none does. By real path. */
  readonly hides: (tool: string) => ((real: string) => boolean) | null;
}

/** The rules made ready for a working directory (a real path). */
export async function permissionsOf(
  settings: PermissionSettings,
  cwd: string,
): Promise<Permissions> {
  const { allow, narrow, deny, readOnly, yolo, onAsk } = settings;
  const isDefault = allow.length + narrow.length + deny.length === 0 && !readOnly && !yolo;
  if (isDefault) return permissionsBy(defaultPolicy(cwd), onAsk);
  const { compilePolicy } = await import("./compile-policy.ts");
  return permissionsBy(await compilePolicy(settings, cwd), onAsk);
}

function permissionsBy(policy: Policy, onAsk: OnAsk): Permissions {
  return {
    onAsk,
    permit: async (tool, wish) => {
      const verdict = judge(policy, { tool, subject: await subjectOf(policy, wish) });
      if (verdict.type === "allow") return null;
      if (verdict.type === "ask" && onAsk === "allow") return null;
      return refused(tool, verdict);
    },
    hides: (tool) => {
      if (!policy.deny.some(({ pattern }) => pattern.kind === "path")) return null;
      return (real) => {
        const path = { real, written: real };
        return judge(policy, { tool, subject: { kind: "path", path } }).type === "deny";
      };
    },
  };
}

async function subjectOf(policy: Policy, wish: Wish): Promise<Subject> {
  if (wish.kind !== "command") return wish;
  if (!looksAtCommands(policy)) return { ...wish, line: null, writes: [] };
  const { readCommandLine } = await import("./shell/command-line.ts");
  const line = readCommandLine(wish.text);
  const writes = line.writes.map(async ({ text }) => {
    if (text === null || (line.changesDirectory && !text.startsWith("/"))) return null;
    const written = resolve(policy.cwd, text);
    // The kernel follows a link before the `..` behind it.
    const meant = text.startsWith("/") ? text : `${policy.cwd}/${text}`;
    const real = await realPathOf(meant).catch(() => null);
    return real === null ? null : { real, written };
  });
  return { ...wish, line, writes: await Promise.all(writes) };
}

function refused(tool: string, { type, rule, why, remedy }: Refusal): ToolResult {
  const advice =
    type === "deny"
      ? "Do not try to get around it: go on without it, or say what is missing."
      : "Nobody is there to approve it: find another way, or say what is missing.";
  return {
    ...failed(`${tool}: refused: ${why}. ${advice}`),
    denied: { kind: type === "deny" ? "denied" : "unapproved", rule, remedy },
  };
}
