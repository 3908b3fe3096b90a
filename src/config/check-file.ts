import type * as z from "zod/mini";
import { RunFailed } from "../protocol/ending.ts";
import {
  fieldName,
  invalidConfig,
  valueAt,
  whereIs,
  type ConfigFile,
  type FieldPath,
} from "./config-file.ts";
import { nearest } from "../shared/nearest.ts";
import { ruleProblems } from "./permission-rules.ts";
import { configSchema, KNOWN_FIELDS } from "./schema.ts";

/** What is wrong with a file, all of it. */
export interface Inspection {
  /** Each would end a run. */
  readonly problems: readonly RunFailed[];
  /** A line each. */
  readonly warnings: readonly string[];
}

/** Throws `RunFailed` for a field of a wrong type; returns a warning line for each field that is not known. */
export async function checkFile(file: ConfigFile): Promise<readonly string[]> {
  const { problems, warnings } = await inspectFile(file);
  const [first, ...more] = problems;
  if (first === undefined) return warnings;
  if (more.length === 0) throw first;
  const message = `${first.failure.message} (and ${more.length} more)`;
  throw new RunFailed({ ...first.failure, message });
}

export async function inspectFile(file: ConfigFile): Promise<Inspection> {
  const problems: RunFailed[] = [];
  for (const issue of configSchema.safeParse(file.value).error?.issues ?? []) {
    const field = issue.path.filter((key) => typeof key !== "symbol");
    const where = await whereIs(file, field);
    const must = requirement(issue);
    problems.push(
      invalidConfig(
        `${where}: ${fieldName(field)} must be ${must}, not ${kindOf(valueAt(file.value, field))}`,
        `make ${fieldName(field)} ${must}`,
      ),
    );
  }

  problems.push(...(await ruleProblems(file)));
  const warnings: string[] = [];
  for (const { field, known } of unknownFields(file.value)) {
    const where = await whereIs(file, field);
    // Every rule under `permissions` may forbid something: to skip one would allow it.
    if (field[0] === "permissions") {
      problems.push(
        invalidConfig(
          `${where}: ${fieldName(field)} is a permission rule that this version cannot carry out`,
          "take it out, or forbid tools with options.disabled_tools",
        ),
      );
      continue;
    }
    const [similar] = nearest(String(field.at(-1)), known, 1);
    const hint = similar === undefined ? "" : ` (did you mean ${similar}?)`;
    warnings.push(`${where}: unknown field ${fieldName(field)} is ignored${hint}`);
  }
  return { problems, warnings };
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

function requirement(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return ARTICLES[issue.expected] ?? issue.expected;
  if (issue.code === "too_small")
    return issue.origin === "string" ? "a string that is not empty" : "a number from 0 up";
  return issue.message;
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (value === "") return "empty";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return shortNumber(value);
  if (typeof value === "boolean") return String(value);
  return ARTICLES[typeof value] ?? typeof value;
}

/** A longer one may be a key without its quotes. */
const shortNumber = (value: number): string => {
  const text = String(value);
  return text.length < 6 ? text : "a number";
};

interface UnknownField {
  readonly field: FieldPath;
  readonly known: readonly string[];
}

function unknownFields(root: unknown): readonly UnknownField[] {
  return KNOWN_FIELDS.flatMap(([pattern, names]) =>
    matches(root, pattern).flatMap(({ field, value }) =>
      Object.keys(value)
        .filter((name) => !names.has(name))
        .map((name) => ({ field: [...field, name], known: [...names] })),
    ),
  );
}

interface Match {
  readonly field: FieldPath;
  readonly value: object;
}

/** Every object at a path in which `*` stands for any one name or index. */
function matches(root: unknown, pattern: readonly string[]): readonly Match[] {
  let found: readonly Match[] = asMatch([], root);
  for (const step of pattern) {
    found = found.flatMap(({ field, value }) =>
      Object.entries(value)
        .filter(([key]) => step === "*" || step === key)
        .flatMap(([key, inner]) =>
          asMatch([...field, Array.isArray(value) ? Number(key) : key], inner),
        ),
    );
  }
  return found;
}

const asMatch = (field: FieldPath, value: unknown): readonly Match[] =>
  typeof value === "object" && value !== null ? [{ field, value }] : [];
