import { RunFailed } from "../protocol/ending.ts";
import { readConfigFile, valueAt, type ConfigFile } from "./config-file.ts";
import { enterDirectory } from "./enter-directory.ts";
import { configuredDataDirectory, readProjectFiles, readUserFiles } from "./find-files.ts";
import type { LoadOptions } from "./load.ts";
import { codeRoot, dataDirectory, projectDirectories, userDirectories } from "./places.ts";
import { checkDataDirectoryTrust } from "./trust.ts";

export interface FoundDataDirectory {
  /** Absolute; it need not exist. */
  readonly path: string;
  /** Files that were passed over, although they may name another data directory. */
  readonly warnings: readonly string[];
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
  if (named !== null) return { path: dataDirectory(cwd, project, user.home, named), warnings: [] };
  const warnings: string[] = [];
  const read = async (path: string, fromProject: boolean): Promise<ConfigFile | null> =>
    await readAtAll(path, fromProject, warnings);
  const files = [
    ...(await readUserFiles([user.config, user.data], read)),
    ...(await readProjectFiles(cwd, project, warnings, read)),
  ];
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
  return { path, warnings };
}

/** Null, with a warning, for a file that cannot be read or says nothing clear about the data directory. */
async function readAtAll(
  path: string,
  fromProject: boolean,
  warnings: string[],
): Promise<ConfigFile | null> {
  try {
    const file = await readConfigFile(path, fromProject);
    const named = valueAt(file?.value, ["options", "data_directory"]);
    if (named === undefined || typeof named === "string") return file;
    warnings.push(`${path} is passed over: options.data_directory is no text`);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    warnings.push(`${path} is passed over: ${error.failure.message}`);
  }
  return null;
}
