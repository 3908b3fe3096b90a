import {
  fieldName,
  invalidConfig,
  keysAt,
  valueAt,
  whereIs,
  type ConfigFile,
  type FieldPath,
} from "./config-file.ts";
import type { RunFailed } from "../protocol/ending.ts";
import type { Inspection } from "./check-file.ts";
import type { CrushJson } from "./schema.ts";

/**
 * What is configured but not done by this version: a warning line each. Throws `RunFailed` for a hook, because a
 * hook may forbid what a run without it would do. design.md section 5.
 */
export async function tellNotCarriedOut(
  files: readonly ConfigFile[],
  merged: CrushJson,
): Promise<readonly string[]> {
  const { problems, warnings } = await inspectNotCarriedOut(files, merged);
  const [first] = problems;
  if (first !== undefined) throw first;
  return warnings;
}

export async function inspectNotCarriedOut(
  files: readonly ConfigFile[],
  merged: CrushJson,
): Promise<Inspection> {
  const problems: RunFailed[] = [];
  const warnings: string[] = [];
  for (const file of files) {
    for (const event of keysAt(file, ["hooks"])) {
      const field = ["hooks", event];
      if (!isNonEmpty(valueAt(file.value, field))) continue;
      const where = await whereIs(file, field);
      // Crush has one event; it ignores the others, so nothing is lost with them.
      if (event.replaceAll("_", "").toLowerCase() === "pretooluse")
        problems.push(
          invalidConfig(
            `${where}: ${fieldName(field)}: hooks cannot be carried out by this version`,
            "take the hook out; a run that skipped it would allow what it forbids",
          ),
        );
      else
        warnings.push(
          `${where}: ${fieldName(field)} is not an event that has hooks; it is ignored`,
        );
    }
    for (const field of idleFields(file, merged))
      warnings.push(
        `${await whereIs(file, field)}: ${fieldName(field)} is configured but not carried out by this version`,
      );
    if (file.fromProject && isNonEmpty(valueAt(file.value, ["trusted_directories"])))
      warnings.push(
        `${await whereIs(file, ["trusted_directories"])}: trusted_directories counts only in your own configuration; it is ignored`,
      );
  }
  return { problems, warnings };
}

function idleFields(file: ConfigFile, merged: CrushJson): readonly FieldPath[] {
  const programs = (["mcp", "lsp"] as const).flatMap((kind) =>
    keysAt(file, [kind])
      .filter((name) => merged[kind]?.[name]?.disabled !== true)
      .map((name) => [kind, name]),
  );
  const others: FieldPath[] = [["tools"], ["options", "skills_paths"], ["options", "attribution"]];
  return [...programs, ...others.filter((field) => isNonEmpty(valueAt(file.value, field)))];
}

const isNonEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;
