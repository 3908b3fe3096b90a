import { RunFailed } from "../protocol/ending.ts";
import { readConfigFile, valueAt, type ConfigFile } from "./config-file.ts";
import { readNamedFile, readProjectFiles, readUserFiles, withNamed } from "./find-files.ts";
import type { LoadOptions } from "./load.ts";
import { projectDirectories, userDirectories, type Env } from "./places.ts";

interface ReadableFiles {
  readonly files: readonly ConfigFile[];
  readonly warnings: readonly string[];
  readonly isWhole: boolean;
}

/**
 * The configuration files of a real directory, those of the data directory left out, as far as they can be read. Nothing in them is checked
 * but `options.data_directory`. Each file that is passed over is a warning, and `isWhole` is false then.
 */
export async function readableFiles(
  cwd: string,
  env: Env,
  { isolated = false, configFile = null }: Pick<LoadOptions, "isolated" | "configFile"> = {},
): Promise<ReadableFiles> {
  const { config, data } = userDirectories(cwd, env);
  const warnings: string[] = [];
  let isWhole = true;
  const warn = (warning: string): void => {
    isWhole = false;
    warnings.push(warning);
  };
  const read = async (path: string, fromProject: boolean): Promise<ConfigFile | null> =>
    await readAtAll(path, fromProject, warn);
  const found = isolated
    ? []
    : [
        ...(await readUserFiles([config, data], read)),
        ...(await readProjectFiles(cwd, projectDirectories(cwd), warnings, read)),
      ];
  const files = withNamed(found, await readNamedFile(configFile, read));
  return { files, warnings, isWhole };
}

/** Null, with a warning, for a file that cannot be read or says nothing clear about the data directory. */
async function readAtAll(
  path: string,
  fromProject: boolean,
  warn: (warning: string) => void,
): Promise<ConfigFile | null> {
  try {
    const file = await readConfigFile(path, fromProject);
    const named = valueAt(file?.value, ["options", "data_directory"]);
    if (named === undefined || typeof named === "string") return file;
    warn(`${path} is passed over: options.data_directory is no text`);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    warn(`${path} is passed over: ${error.failure.message}`);
  }
  return null;
}
