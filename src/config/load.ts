import type { JsonObject } from "../shared/json.ts";
import type { Config } from "./config.ts";
import { locator, valueAt, type ConfigFile } from "./config-file.ts";
import { contextFiles, type ContextPath } from "./context-files.ts";
import { enterDirectory } from "./enter-directory.ts";
import { expandEnv, expansionIn, withoutCommands } from "./environment.ts";
import {
  configuredDataDirectory,
  passedOverScripts,
  readNamedFile,
  readProjectFiles,
  readUserFiles,
  readWorkspaceFile,
  withNamed,
} from "./find-files.ts";
import { loadProviders, secretNames } from "./load-providers.ts";
import { merge } from "./merge.ts";
import { configuredRules, unheededEntries } from "./permission-rules.ts";
import {
  codeRoot,
  dataDirectory,
  projectDirectories,
  userDirectories,
  type Env,
} from "./places.ts";
import type { CrushJson } from "./schema.ts";
import { choiceOf, largeOf, smallOf } from "./selection.ts";
import { parseTemplate, runsCommand } from "./template.ts";
import { checkTemplates, checkTrust, untrustedFiles } from "./trust.ts";

/** Shorter values are no secrets: masking them would spoil ordinary text. */
const MIN_SECRET_LENGTH = 6;

export interface LoadOptions {
  readonly cwd: string;
  readonly env: Env;
  /** `--data-dir`, relative to `cwd`. */
  readonly dataDir?: string | null;
  /** `--trust-config`. */
  readonly trustConfig?: boolean;
  /** `--isolated`: no file of the machine, the user, the project or the data directory counts, and no context file. */
  readonly isolated?: boolean;
  /** `--config`, absolute: read last. Whoever names a file vouches for it. */
  readonly configFile?: string | null;
  /** No command is run: what one in `env` would say is not known, with a warning. */
  readonly asksNothing?: boolean;
  readonly signal: AbortSignal;
}

/** Finds, checks, merges and expands the configuration of a directory. protocol.md section 10. Throws `RunFailed`. */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const { env, signal } = options;
  const cwd = enterDirectory(options.cwd);
  const user = userDirectories(cwd, env);
  const project = projectDirectories(cwd);
  const root = codeRoot(cwd, project[0], user.home);
  const warnings: string[] = [];
  const isolated = options.isolated ?? false;
  const named = await readNamedFile(options.configFile ?? null);
  const found = isolated
    ? []
    : [
        ...(await readUserFiles([user.config, user.data])),
        ...(await readProjectFiles(cwd, project, warnings)),
      ];
  if (!isolated) warnings.push(...passedOverScripts(cwd, [user.config, user.data], project));
  const configured = options.dataDir ?? configuredDataDirectory([...found, ...named]);
  const dataDir = dataDirectory(cwd, project, user.home, configured);
  if (!isolated) found.push(...(await readWorkspaceFile(cwd, dataDir, found, warnings)));
  const files = withNamed(found, named);
  warnings.push(...(await checkFiles(files)));

  const merged = files.reduce<JsonObject>((base, file) => merge(base, file.value), {}) as CrushJson;
  const trustConfig = options.trustConfig ?? false;
  await checkTrust({
    files,
    merged,
    env,
    trustConfig,
    home: user.home,
    root,
    userConfig: user.config,
    dataDirectory: options.dataDir === null || options.dataDir === undefined ? dataDir : null,
  });
  if (files.length > 0) {
    const { tellNotCarriedOut } = await import("./not-carried-out.ts");
    warnings.push(...(await tellNotCarriedOut(files, merged)));
  }

  const locate = locator(files);
  const asksNothing = options.asksNothing ?? false;
  const around = expansionIn(env, {}, cwd);
  const expanding = asksNothing ? withoutCommands(around) : around;
  const ownEnv = await expandEnv(merged.env ?? {}, expanding, locate, signal);
  if (asksNothing) warnings.push(...notAskedIn(merged.env ?? {}));
  const secrets: string[] = [];
  const keepSecret = (value: string): void => {
    if (value.length >= MIN_SECRET_LENGTH && !secrets.includes(value)) secrets.push(value);
  };
  const expansion = expansionIn(env, ownEnv, cwd);
  const secretEnvNames = secretNames(merged);
  for (const name of secretEnvNames) keepSecret(env[name] ?? "");
  const catalogued =
    merged.options?.disable_default_providers !== true &&
    !/^(1|true)$/i.test(env["CRUSH_DISABLE_DEFAULT_PROVIDERS"] ?? "");
  const completing = { env, expansion, locate, keepSecret };
  const loaded = await loadProviders(merged, catalogued, completing, signal);
  if (merged.providers?.["demo"] !== undefined)
    warnings.push(
      `${await locate(["providers", "demo"])}: providers.demo is ignored: demo is built in`,
    );

  const choices = {
    large: await choiceOf(merged, "large", locate),
    small: await choiceOf(merged, "small", locate),
  };
  const large = largeOf(loaded.providers, choices.large);
  const small = smallOf(loaded.providers, choices.small, large);
  const suspects = untrustedFiles({ files, trustConfig, home: user.home });
  warnings.push(...(await unheededEntries(suspects)));
  const context = contextFiles({
    cwd,
    root,
    home: user.home,
    userConfig: user.config,
    usual: !isolated,
    contextPaths: pathsOf(files, suspects, "context_paths"),
    globalContextPaths: pathsOf(files, suspects, "global_context_paths"),
    lookup: expansion.lookup,
  });
  return {
    workingDirectory: cwd,
    dataDirectory: dataDir,
    sources: files.map((file) => file.path),
    ...loaded,
    choices,
    large,
    small,
    contextFiles: context.files,
    autoSummarize: merged.options?.disable_auto_summarize !== true,
    disabledTools: new Set(merged.options?.disabled_tools ?? []),
    rules: configuredRules(files, suspects),
    env: ownEnv,
    secrets,
    secretEnvNames,
    warnings: [...warnings, ...context.warnings],
  };
}

const notAskedIn = (templates: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(templates)
    .filter(([, template]) => runsCommand(parseTemplate(template)))
    .map(([name]) => `env.${name} is not known: a command says it, and none was run`);

async function checkFiles(files: readonly ConfigFile[]): Promise<readonly string[]> {
  if (files.length === 0) return [];
  const { checkFile } = await import("./check-file.ts"); // with zod: only when there is something to check
  const warnings: string[] = [];
  for (const file of files) {
    warnings.push(...(await checkFile(file)));
    await checkTemplates(file);
  }
  return warnings;
}

function pathsOf(
  files: readonly ConfigFile[],
  suspects: readonly ConfigFile[],
  name: "context_paths" | "global_context_paths",
): readonly ContextPath[] {
  return files.flatMap((file) => {
    const paths = valueAt(file.value, ["options", name]);
    const trusted = !suspects.includes(file);
    return Array.isArray(paths) ? paths.map((path) => ({ path: String(path), trusted })) : [];
  });
}
