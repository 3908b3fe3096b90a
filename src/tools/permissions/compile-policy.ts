import { kindOf, type PermissionRule } from "../../protocol/permission-rule.ts";
import { defaultPolicy, type CompiledRule, type Pattern, type Policy } from "./policy.ts";
import type { PermissionSettings } from "./permissions.ts";

/** The rules made ready; what a rule needs to be matched is loaded only when there is such a rule. */
export async function compilePolicy(settings: PermissionSettings, cwd: string): Promise<Policy> {
  const compiled = async (rules: readonly PermissionRule[]): Promise<readonly CompiledRule[]> =>
    await Promise.all(rules.map(async (rule) => ({ rule, pattern: await patternOf(rule, cwd) })));
  const reading = settings.readOnly ? await import("./shell/read-only.ts") : null;
  return {
    ...defaultPolicy(cwd),
    deny: await compiled(settings.deny),
    allow: await compiled(settings.allow),
    narrow: await compiled(settings.narrow),
    changes: reading?.whatChanges ?? null,
    allowsRest: settings.yolo,
  };
}

async function patternOf({ name, pattern }: PermissionRule, cwd: string): Promise<Pattern> {
  if (pattern === null) return { kind: "all" };
  switch (kindOf(name)) {
    case "path": {
      const { pathPattern } = await import("./path-pattern.ts");
      return { kind: "path", ...(await pathPattern(pattern, cwd)) };
    }
    case "command": {
      const { commandPattern } = await import("./command-pattern.ts");
      return { kind: "command", ...commandPattern(pattern) };
    }
    case "url": {
      const { urlPattern } = await import("./url-pattern.ts");
      return { kind: "url", ...urlPattern(pattern) };
    }
    case null:
      throw new Error(`${name} takes no pattern`); // parseRule lets none through
  }
}
