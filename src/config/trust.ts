import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { CATALOGUE } from "./catalogue.ts";
import {
  fieldName,
  invalidConfig,
  keysAt,
  valueAt,
  whereIs,
  type ConfigFile,
  type FieldPath,
} from "./config-file.ts";
import { isInside, type Env } from "./places.ts";
import type { CrushJson } from "./schema.ts";
import { ExpandFailed, parseTemplate, runsCommand, variablesOf } from "./template.ts";

/** What has to be known to judge a project's files. design.md section 5. */
export interface TrustQuestion {
  readonly files: readonly ConfigFile[];
  readonly merged: CrushJson;
  readonly env: Env;
  /** `--trust-config`. */
  readonly trustConfig: boolean;
  readonly home: string | null;
  /** The worktree's root. */
  readonly root: string;
  /** Where the user can list the directory as trusted. */
  readonly userConfig: string | null;
  /** Where `options.data_directory` leads to, when it is set. */
  readonly dataDirectory: string | null;
}

interface Offence {
  readonly file: ConfigFile;
  readonly field: FieldPath;
  /** Completes the sentence "FIELD …". */
  readonly what: string;
}

/**
 * A project's configuration comes with the code, and the code may be a stranger's: what would run a command, or send a
 * key somewhere else, needs trust. Throws `RunFailed` that names the first such entry.
 */
export async function checkTrust(question: TrustQuestion): Promise<void> {
  const suspects = untrustedFiles(question);
  const [offence] = suspects.flatMap((file) => [
    ...commandsIn(file),
    ...programsIn(file, question.merged),
    ...environmentIn(file),
    ...redirectionsIn(file, suspects, question),
    ...dataDirectoryIn(file, suspects, question),
  ]);
  if (!offence) return;
  const list =
    question.userConfig === null
      ? ""
      : `, or add ${JSON.stringify(question.root)} to trusted_directories in ${join(question.userConfig, "crush.json")}`;
  throw invalidConfig(
    `${await whereIs(offence.file, offence.field)}: ${fieldName(offence.field)} ${offence.what}, and this directory is not trusted`,
    `read the file; if you trust it, run with --trust-config${list}`,
  );
}

/** The project's files that neither the flag nor the user's own configuration vouches for. */
export function untrustedFiles(
  question: Pick<TrustQuestion, "files" | "trustConfig" | "home">,
): readonly ConfigFile[] {
  if (question.trustConfig) return [];
  const trusted = trustedDirectories(question);
  return question.files.filter(
    (file) => file.fromProject && !trusted.some((dir) => isInside(dir, dirname(file.path))),
  );
}

function trustedDirectories(question: Pick<TrustQuestion, "files" | "home">): readonly string[] {
  return question.files
    .filter((file) => !file.fromProject)
    .flatMap((file) => {
      const listed = valueAt(file.value, ["trusted_directories"]);
      return Array.isArray(listed) ? listed.filter((path) => typeof path === "string") : [];
    })
    .flatMap((path) => {
      const full =
        path.startsWith("~/") && question.home !== null ? join(question.home, path.slice(2)) : path;
      try {
        return isAbsolute(full) ? [realpathSync(full)] : [];
      } catch {
        return []; // a directory that is not there trusts nothing
      }
    });
}

function commandsIn(file: ConfigFile): readonly Offence[] {
  return templatesIn(file)
    .filter(({ template }) => isCommand(template))
    .map(({ field }) => ({ file, field, what: "runs a command" }));
}

function programsIn(file: ConfigFile, merged: CrushJson): readonly Offence[] {
  return (["mcp", "lsp"] as const).flatMap((kind) =>
    keysAt(file, [kind])
      .filter((name) => merged[kind]?.[name]?.disabled !== true)
      .map((name) => ({ file, field: [kind, name], what: "names a program or server to use" })),
  );
}

/** A variable can name code as well as a command can: PATH, LD_PRELOAD, GIT_SSH_COMMAND; or redirect a key. */
function environmentIn(file: ConfigFile): readonly Offence[] {
  return keysAt(file, ["env"]).map((name) => ({
    file,
    field: ["env", name],
    what: "changes the environment of tools and providers",
  }));
}

/** A `base_url` of a suspect file for a provider whose key or headers are not the project's own literals. */
function redirectionsIn(
  file: ConfigFile,
  suspects: readonly ConfigFile[],
  question: TrustQuestion,
): readonly Offence[] {
  return keysAt(file, ["providers"])
    .filter((id) => valueAt(file.value, ["providers", id, "base_url"]) !== undefined)
    .filter((id) => {
      const merged = question.merged.providers?.[id];
      const headers = Object.entries(merged?.extra_headers ?? {});
      const values: (readonly [FieldPath, string])[] = [
        [["providers", id, "api_key"], merged?.api_key ?? ""],
        ...headers.map(
          ([name, value]) => [["providers", id, "extra_headers", name], value] as const,
        ),
      ];
      return (
        usesVariable(merged?.base_url ?? "") ||
        (merged?.api_key === undefined && hasKeyInEnvironment(id, question.env)) ||
        values.some(([field, value]) => isForeign(field, value, suspects))
      );
    })
    .map((id) => ({
      file,
      field: ["providers", id, "base_url"],
      what: "says where a key that is not the project's own is sent to",
    }));
}

/** Whether a value is taken from the environment or comes from a trusted file. */
const isForeign = (field: FieldPath, value: string, suspects: readonly ConfigFile[]): boolean =>
  value !== "" &&
  (usesVariable(value) || !suspects.some((file) => valueAt(file.value, field) === value));

const hasKeyInEnvironment = (id: string, env: Env): boolean =>
  CATALOGUE.find((entry) => entry.ids.includes(id))?.keyNames.some(
    (name) => (env[name] ?? "") !== "" || (env[`CRUSH_${name}`] ?? "") !== "",
  ) ?? false;

function dataDirectoryIn(
  file: ConfigFile,
  suspects: readonly ConfigFile[],
  question: TrustQuestion,
): readonly Offence[] {
  const field = ["options", "data_directory"];
  const last = suspects.findLast((one) => valueAt(one.value, field) !== undefined);
  if (file !== last || question.dataDirectory === null) return [];
  if (question.merged.options?.data_directory !== valueAt(file.value, field)) return [];
  if (isInside(question.root, question.dataDirectory)) return [];
  return [{ file, field, what: "leads out of the project" }];
}

/** Every string of a file that is expanded. */
function templatesIn(file: ConfigFile): readonly { field: FieldPath; template: string }[] {
  const fields: FieldPath[] = [
    ...keysAt(file, ["env"]).map((name) => ["env", name]),
    ...keysAt(file, ["providers"]).flatMap((id) => [
      ["providers", id, "api_key"],
      ["providers", id, "base_url"],
      ...keysAt(file, ["providers", id, "extra_headers"]).map((name) => [
        "providers",
        id,
        "extra_headers",
        name,
      ]),
    ]),
  ];
  return fields.flatMap((field) => {
    const template = valueAt(file.value, field);
    return typeof template === "string" ? [{ field, template }] : [];
  });
}

/** Throws for a value that does not parse, so that the mistake is told with its place, whoever made it. */
export async function checkTemplates(file: ConfigFile): Promise<void> {
  for (const { field, template } of templatesIn(file)) {
    try {
      parseTemplate(template);
    } catch (error) {
      if (!(error instanceof ExpandFailed)) throw error;
      throw invalidConfig(
        `${await whereIs(file, field)}: ${fieldName(field)} cannot be expanded: ${error.message}`,
        "quote or escape the special characters ($ ` \\ ' \")",
        error,
      );
    }
  }
}

const isCommand = (template: string): boolean => runsCommand(parseTemplate(template));
const usesVariable = (template: string): boolean =>
  isCommand(template) || variablesOf(parseTemplate(template)).length > 0;
