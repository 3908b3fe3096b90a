import type { ConfiguredRules } from "../config/permission-rules.ts";
import { isProblem, parseRule, type PermissionRule } from "../protocol/permission-rule.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import type { PermissionSettings } from "../tools/permissions/permissions.ts";

/** The rules of the configuration and those of the prompt. */
export function permissionSettings(
  rules: ConfiguredRules,
  { permissions }: RunOptions,
): PermissionSettings {
  const {
    allow = [],
    deny = [],
    readOnly = false,
    yolo = false,
    onAsk = "deny",
  } = permissions ?? {};
  const parsed = (texts: readonly string[]): readonly PermissionRule[] =>
    texts.map(parseRule).filter((rule): rule is PermissionRule => !isProblem(rule));
  return {
    allow: [...parsed(allow), ...rules.allow],
    narrow: rules.narrow,
    deny: [...parsed(deny), ...rules.deny],
    readOnly,
    yolo,
    onAsk,
  };
}
