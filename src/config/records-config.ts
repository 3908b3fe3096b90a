import type { Config } from "./config.ts";
import { enterDirectory } from "./enter-directory.ts";
import { findDataDirectory } from "./find-data-directory.ts";
import { knownSecrets } from "./known-secrets.ts";
import type { LoadOptions } from "./load.ts";

/**
 * What whoever looks at runs needs of a configuration: where they are. A mistake in a file keeps nobody from them; one that may have named
 * another data directory is a warning. Throws like `findDataDirectory`.
 */
export async function recordsConfig(options: Omit<LoadOptions, "signal">): Promise<Config> {
  const { path, warnings } = await findDataDirectory(options);
  const workingDirectory = enterDirectory(options.cwd);
  return {
    workingDirectory,
    dataDirectory: path,
    sources: [],
    providers: new Map(),
    unusable: [],
    completions: new Map(),
    choices: { large: null, small: null },
    large: null,
    small: null,
    contextFiles: [],
    autoSummarize: false,
    disabledTools: new Set(),
    rules: { allow: [], narrow: [], deny: [] },
    env: {},
    secrets: await knownSecrets(workingDirectory, options.env),
    secretEnvNames: [],
    warnings,
  };
}
