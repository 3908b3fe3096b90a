import type { PermissionRule } from "../../protocol/permission-rule.ts";
import type { CommandPattern } from "./command-pattern.ts";
import type { PathPattern } from "./path-pattern.ts";
import type { ShellCommand } from "./shell/shell-command.ts";
import type { UrlPattern } from "./url-pattern.ts";

/** What a rule says about the calls of the tools that it names. */
export type Pattern =
  | { readonly kind: "all" }
  | ({ readonly kind: "path" } & PathPattern)
  | ({ readonly kind: "command" } & CommandPattern)
  | ({ readonly kind: "url" } & UrlPattern);

export interface CompiledRule {
  readonly rule: PermissionRule;
  readonly pattern: Pattern;
}

/** Every rule that holds for a run. */
export interface Policy {
  /** Real path. */
  readonly cwd: string;
  readonly deny: readonly CompiledRule[];
  readonly allow: readonly CompiledRule[];
  /** Of a project that is not trusted: they can narrow what is allowed, and allow nothing. */
  readonly narrow: readonly CompiledRule[];
  /** Why a command may change something, as the end of a sentence; null for one that only reads. Null without `--read-only`. */
  readonly changes: ((command: ShellCommand) => string | null) | null;
  /** `--yolo`: what nobody forbids is allowed. */
  readonly allowsRest: boolean;
}

export const defaultPolicy = (cwd: string): Policy => ({
  cwd,
  deny: [],
  allow: [],
  narrow: [],
  changes: null,
  allowsRest: false,
});
