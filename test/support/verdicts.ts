import { isProblem, parseRule, type PermissionRule } from "../../src/protocol/permission-rule.ts";
import {
  DEFAULT_SETTINGS,
  permissionsOf,
  type PermissionSettings,
  type Wish,
} from "../../src/tools/permissions/permissions.ts";

export interface RuleTexts extends Partial<Omit<PermissionSettings, "allow" | "narrow" | "deny">> {
  readonly allow?: readonly string[];
  readonly narrow?: readonly string[];
  readonly deny?: readonly string[];
}

export function settingsOf({
  allow = [],
  narrow = [],
  deny = [],
  ...more
}: RuleTexts): PermissionSettings {
  return {
    ...DEFAULT_SETTINGS,
    ...more,
    allow: allow.map(ruleOf),
    narrow: narrow.map(ruleOf),
    deny: deny.map(ruleOf),
  };
}

function ruleOf(text: string): PermissionRule {
  const parsed = parseRule(text);
  if (isProblem(parsed)) throw new Error(parsed.problem);
  return parsed;
}

export type Judged = "allow" | "deny" | "ask";

/** What these rules say to a call in the working directory `/work`. */
export async function verdict(
  rules: RuleTexts,
  tool: string,
  wish: Wish,
  cwd = "/work",
): Promise<Judged> {
  const { permit } = await permissionsOf(settingsOf(rules), cwd);
  const refused = await permit(tool, wish);
  if (refused === null) return "allow";
  return refused.denied?.kind === "denied" ? "deny" : "ask";
}

export const commandVerdict = async (rules: RuleTexts, text: string): Promise<Judged> =>
  await verdict(rules, "bash", { kind: "command", text });
