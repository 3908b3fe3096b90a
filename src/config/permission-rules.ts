import type { RunFailed } from "../protocol/ending.ts";
import {
  crushRule,
  isAbout,
  isProblem,
  kindOf,
  parseRule,
  type PermissionRule,
} from "../protocol/permission-rule.ts";
import {
  fieldName,
  invalidConfig,
  valueAt,
  whereIs,
  type ConfigFile,
  type FieldPath,
} from "./config-file.ts";
import { isInside } from "./places.ts";

/** What the files say about permissions. */
export interface ConfiguredRules {
  readonly allow: readonly PermissionRule[];
  /** Of files that nobody vouches for: they can narrow what a run may do, and allow nothing. */
  readonly narrow: readonly PermissionRule[];
  readonly deny: readonly PermissionRule[];
}

type RuleList = "allowed_tools" | "allow" | "deny";

interface Entry {
  readonly field: FieldPath;
  readonly text: string;
}

/** Of files that `ruleProblems` found nothing in. Deny rules count whoever wrote them. */
export function configuredRules(
  files: readonly ConfigFile[],
  suspects: readonly ConfigFile[],
): ConfiguredRules {
  const trusted = files.filter((file) => !suspects.includes(file));
  return {
    allow: trusted.flatMap((file) => [...crushRulesOf(file), ...rulesOf(file, "allow")]),
    narrow: suspects.flatMap((file) =>
      rulesOf(file, "allow").filter(({ pattern }) => pattern !== null),
    ),
    deny: files.flatMap((file) => rulesOf(file, "deny")),
  };
}

/** Rules that cannot be understood, each with its place. */
export async function ruleProblems(file: ConfigFile): Promise<readonly RunFailed[]> {
  const problems = (["allow", "deny"] as const).flatMap((list) =>
    entriesOf(file, list).flatMap(({ field, text }) => {
      const parsed = parseRule(text);
      return isProblem(parsed) ? [{ field, ...parsed }] : [];
    }),
  );
  return await Promise.all(
    problems.map(async ({ field, problem, remedy }) =>
      invalidConfig(`${await whereIs(file, field)}: ${fieldName(field)}: ${problem}`, remedy),
    ),
  );
}

/** Entries that would let file tools out of the working directory, which nothing else does by default. */
export function wideningEntries(
  file: ConfigFile,
): readonly { readonly field: FieldPath; readonly what: string }[] {
  const what = "lets file tools reach outside of the working directory";
  return entriesOf(file, "allow")
    .filter(({ text }) => {
      const rule = parseRule(text);
      return !isProblem(rule) && reachesOut(rule, file);
    })
    .map(({ field }) => ({ field, what }));
}

/**
 * Crush's entries that would do the same. Many a project has them, and means no more than that nobody is to be asked: of a file that
 * nobody vouches for they are left out, with a warning.
 */
export async function unheededEntries(suspects: readonly ConfigFile[]): Promise<readonly string[]> {
  const unheeded = suspects.flatMap((file) =>
    entriesOf(file, "allowed_tools").flatMap(({ field, text }) => {
      const rule = crushRule(text);
      return rule !== null && kindOf(rule.name) === "path" ? [{ file, field, text }] : [];
    }),
  );
  return await Promise.all(
    unheeded.map(
      async ({ file, field, text }) =>
        `${await whereIs(file, field)}: ${fieldName(field)}: ${text} stays inside the working directory; --trust-config lets it out`,
    ),
  );
}

const FILE_TOOLS = ["view", "ls", "glob", "grep", "edit", "write"];

function reachesOut(rule: PermissionRule, file: ConfigFile): boolean {
  if (!FILE_TOOLS.some((tool) => isAbout(rule, tool))) return false;
  const { pattern } = rule;
  if (pattern === null) return true;
  if (/^~|(^|[/{,(|])\.\.([/},)|]|$)/.test(pattern)) return true;
  const [start = ""] = pattern.split(/[*?[{(!]/, 1);
  return start.startsWith("/") && !isInside(file.path.slice(0, file.path.lastIndexOf("/")), start);
}

const crushRulesOf = (file: ConfigFile): readonly PermissionRule[] =>
  entriesOf(file, "allowed_tools").flatMap(({ text }) => crushRule(text) ?? []);

const rulesOf = (file: ConfigFile, list: "allow" | "deny"): readonly PermissionRule[] =>
  entriesOf(file, list).flatMap(({ text }) => {
    const rule = parseRule(text);
    return isProblem(rule) ? [] : [rule];
  });

function entriesOf(file: ConfigFile, list: RuleList): readonly Entry[] {
  const entries = valueAt(file.value, ["permissions", list]);
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((text: unknown, at) =>
    typeof text === "string" ? [{ field: ["permissions", list, at], text }] : [],
  );
}
