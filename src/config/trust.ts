import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
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
import type { RunFailed } from "../protocol/ending.ts";
import { wideningEntries } from "./permission-rules.ts";
import { isInside, realPath, type Env } from "./places.ts";
import type { CrushJson } from "./schema.ts";
import {
  ExpandFailed,
  parseTemplate,
  runsCommand,
  variablesOf,
  type Template,
} from "./template.ts";

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
  await refuse(offencesIn(question), question);
}

/** The same for what matters to whoever only looks for the data directory. */
export async function checkDataDirectoryTrust(question: TrustQuestion): Promise<void> {
  const suspects = untrustedFiles(question);
  await refuse(
    suspects.flatMap((file) => dataDirectoryIn(file, suspects, question)),
    question,
  );
}

async function refuse(offences: readonly Offence[], question: TrustQuestion): Promise<void> {
  const [first] = offences;
  if (first !== undefined) throw await untrusted(first, question);
  const dataDirectory = strayDataDirectory(question);
  if (dataDirectory !== null) throw untrustedLink(dataDirectory, question);
}

/** Every entry that needs trust and has none. */
export async function trustProblems(question: TrustQuestion): Promise<readonly RunFailed[]> {
  const entries = offencesIn(question).map(async (one) => await untrusted(one, question));
  const dataDirectory = strayDataDirectory(question);
  return [
    ...(await Promise.all(entries)),
    ...(dataDirectory === null ? [] : [untrustedLink(dataDirectory, question)]),
  ];
}

function offencesIn(question: TrustQuestion): readonly Offence[] {
  const suspects = untrustedFiles(question);
  return suspects.flatMap((file) => [
    ...linkOut(file, question),
    ...commandsIn(file),
    ...programsIn(file, question.merged),
    ...scriptsIn(file, question.merged),
    ...environmentIn(file),
    ...redirectionsIn(file, suspects, question),
    ...strangersIn(file),
    ...dataDirectoryIn(file, suspects, question),
    ...wideningEntries(file).map((entry) => ({ file, ...entry })),
  ]);
}

async function untrusted(
  { file, field, what }: Offence,
  question: TrustQuestion,
): Promise<RunFailed> {
  return invalidConfig(
    `${await whereIs(file, field)}: ${fieldName(field) || "it"} ${what}, and this directory is not trusted`,
    `read the file; if you trust it, run with --trust-config${orList(question)}`,
  );
}

const untrustedLink = (dataDirectory: string, question: TrustQuestion): RunFailed =>
  invalidConfig(
    `${dataDirectory} is a link that leads out of the project, and this directory is not trusted`,
    `name a data directory with --data-dir; or, if you trust the link, run with --trust-config${orList(question)}`,
  );

const orList = ({ userConfig, root }: TrustQuestion): string =>
  userConfig === null
    ? ""
    : `, or add ${JSON.stringify(root)} to trusted_directories in ${join(userConfig, "crush.json")}`;

/** The project's files that neither the flag nor the user's own configuration vouches for. */
export function untrustedFiles(
  question: Pick<TrustQuestion, "files" | "trustConfig" | "home">,
): readonly ConfigFile[] {
  const isTrusted = trustIn(question);
  return question.files.filter((file) => file.fromProject && !isTrusted(dirname(file.path)));
}

function trustIn(
  question: Pick<TrustQuestion, "files" | "trustConfig" | "home">,
): (directory: string) => boolean {
  if (question.trustConfig) return () => true;
  const trusted = trustedDirectories(question);
  return (directory) => trusted.some((dir) => isInside(dir, directory));
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

/**
 * A link to a file elsewhere: with another's key in it as if it were the project's own, next to an address that is. What lies in
 * a data directory that the user named does not come with the code.
 */
function linkOut(file: ConfigFile, { root }: TrustQuestion): readonly Offence[] {
  const real = realPath(file.path);
  const away =
    !isInside(root, real) && real !== join(realPath(dirname(file.path)), basename(file.path));
  return away ? [{ file, field: [], what: "is a link that leads out of the project" }] : [];
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

/** A scripted model calls tools as its file says. */
function scriptsIn(file: ConfigFile, merged: CrushJson): readonly Offence[] {
  return keysAt(file, ["providers"])
    .filter((id) => merged.providers?.[id]?.type === "scripted")
    .map((id) => ({ file, field: ["providers", id], what: "scripts what the tools do" }));
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
        (merged?.api_key === undefined && hasKeyInEnvironment(id, question)) ||
        values.some(([field, value]) => isForeign(field, value, suspects))
      );
    })
    .map((id) => ({
      file,
      field: ["providers", id, "base_url"],
      what: "says where a key that is not the project's own is sent to",
    }));
}

/** A `base_url` of a suspect file that leaves this machine: whoever answers there steers the tools. */
function strangersIn(file: ConfigFile): readonly Offence[] {
  return keysAt(file, ["providers"])
    .map((id): FieldPath => ["providers", id, "base_url"])
    .filter((field) => {
      const url = valueAt(file.value, field);
      return typeof url === "string" && !isLoopback(url);
    })
    .map((field) => ({
      file,
      field,
      what: "names a server outside this machine, which would steer the tools",
    }));
}

export function isLoopback(url: string): boolean {
  try {
    return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(url).hostname);
  } catch {
    return false; // not an address yet (a variable): judged as one that leaves
  }
}

/** Whether a value is taken from the environment or comes from a trusted file. */
const isForeign = (field: FieldPath, value: string, suspects: readonly ConfigFile[]): boolean =>
  value !== "" &&
  (usesVariable(value) || !suspects.some((file) => valueAt(file.value, field) === value));

/** The environment is also what `env` of the user's files adds to it. */
const hasKeyInEnvironment = (id: string, { env, merged }: TrustQuestion): boolean =>
  CATALOGUE.find((entry) => entry.ids.includes(id))?.keyNames.some(
    (name) =>
      (env[name] ?? "") !== "" ||
      (env[`CRUSH_${name}`] ?? "") !== "" ||
      merged.env?.[name] !== undefined,
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
  if (isInside(question.root, realPath(question.dataDirectory))) return [];
  return [{ file, field, what: "leads out of the project" }];
}

/** A `.crush` that was found in the project and is a link to somewhere else; null when there is none, or it is trusted. */
function strayDataDirectory(question: TrustQuestion): string | null {
  const { merged, root, dataDirectory } = question;
  if (dataDirectory === null || merged.options?.data_directory !== undefined) return null;
  const real = realPath(dataDirectory);
  const stays = real === dataDirectory || isInside(root, real);
  return stays || trustIn(question)(root) ? null : dataDirectory;
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
  const [first] = await templateProblems(file);
  if (first !== undefined) throw first;
}

export async function templateProblems(file: ConfigFile): Promise<readonly RunFailed[]> {
  const problems: RunFailed[] = [];
  for (const { field, template } of templatesIn(file)) {
    try {
      parseTemplate(template);
    } catch (error) {
      if (!(error instanceof ExpandFailed)) throw error;
      problems.push(
        invalidConfig(
          `${await whereIs(file, field)}: ${fieldName(field)} cannot be expanded: ${error.message}`,
          "quote or escape the special characters ($ ` \\ ' \")",
          error,
        ),
      );
    }
  }
  return problems;
}

const isCommand = (template: string): boolean => runsCommand(parsed(template));
const usesVariable = (template: string): boolean =>
  isCommand(template) || variablesOf(parsed(template)).length > 0;

/** What does not parse ends every run by itself; a list of all that is wrong asks about its trust all the same. */
function parsed(template: string): Template {
  try {
    return parseTemplate(template);
  } catch (error) {
    if (error instanceof ExpandFailed) return [];
    throw error;
  }
}
