import { enterDirectory } from "./enter-directory.ts";
import { configuredDataDirectory } from "./find-files.ts";
import type { LoadOptions } from "./load.ts";
import { codeRoot, dataDirectory, projectDirectories, userDirectories } from "./places.ts";
import { readableFiles } from "./readable-files.ts";
import { checkDataDirectoryTrust } from "./trust.ts";

export interface FoundDataDirectory {
  /** Absolute; it need not exist. */
  readonly path: string;
  /** Files that were passed over. */
  readonly warnings: readonly string[];
  /** False when one of them may name another data directory indeed: it could not be read. */
  readonly isCertain: boolean;
}

/**
 * The data directory that a run in `cwd` would use, found without the rest of the configuration: whoever looks at sessions and runs needs
 * no provider, and a mistake in a file must not keep them from it. Throws `RunFailed` when there is no such working
 * directory, and for what the trust rules refuse.
 */
export async function findDataDirectory(
  options: Omit<LoadOptions, "signal">,
): Promise<FoundDataDirectory> {
  const cwd = enterDirectory(options.cwd);
  const user = userDirectories(cwd, options.env);
  const project = projectDirectories(cwd);
  const named = options.dataDir ?? null;
  if (named !== null)
    return {
      path: dataDirectory(cwd, project, user.home, named),
      warnings: [],
      isCertain: true,
    };
  const { files, warnings, isWhole } = await readableFiles(cwd, options.env, options);
  const configured = configuredDataDirectory(files);
  const path = dataDirectory(cwd, project, user.home, configured);
  await checkDataDirectoryTrust({
    files,
    merged: configured === null ? {} : { options: { data_directory: configured } },
    env: options.env,
    trustConfig: options.trustConfig ?? false,
    home: user.home,
    root: codeRoot(cwd, project[0], user.home),
    userConfig: user.config,
    dataDirectory: path,
  });
  return { path, warnings, isCertain: isWhole };
}
