import { existsSync } from "node:fs";
import { join } from "node:path";
import { ownerOf, readConfigFile, valueAt, type ConfigFile } from "./config-file.ts";

type Read = typeof readConfigFile;

/** The machine's and the user's own files, lowest priority first. protocol.md section 10.1. */
export async function readUserFiles(
  directories: readonly (string | null)[],
  read: Read = readConfigFile,
): Promise<readonly ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const dir of userPlaces(directories)) {
    const file = await read(join(dir, "crush.json"), false);
    if (file) found.push(file);
  }
  return found;
}

const userPlaces = (directories: readonly (string | null)[]): readonly string[] => [
  ...(process.platform === "win32" ? [] : ["/etc/crush"]),
  ...directories.filter((one) => one !== null),
];

/** The files from the worktree's root down to `cwd`. Those of another user are skipped with a warning. */
export async function readProjectFiles(
  cwd: string,
  directories: readonly string[],
  warnings: string[],
  read: Read = readConfigFile,
): Promise<readonly ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const dir of directories)
    for (const name of ["crush.json", ".crush.json"]) {
      const path = join(dir, name);
      if (isOfSomebodyElse(cwd, path, warnings)) continue;
      const file = await read(path, true);
      if (file) found.push(file);
    }
  return found;
}

/** What there is to say of the scripts beside these files, which are not carried out. */
export function passedOverScripts(
  cwd: string,
  userDirectories: readonly (string | null)[],
  projectDirectories: readonly string[],
): readonly string[] {
  const warnings: string[] = [];
  for (const dir of userPlaces(userDirectories)) warnAboutScript(join(dir, "crushrc"), warnings);
  for (const dir of projectDirectories)
    for (const name of ["crushrc", ".crushrc"]) {
      const path = join(dir, name);
      if (!isOfSomebodyElse(cwd, path, warnings)) warnAboutScript(path, warnings);
    }
  return warnings;
}

/** `<data directory>/crush.json`. It may come with the code as well as from us, so it is the project's. */
export async function readWorkspaceFile(
  cwd: string,
  dataDir: string,
  read: readonly ConfigFile[],
  warnings: string[],
): Promise<readonly ConfigFile[]> {
  const path = join(dataDir, "crush.json");
  if (read.some((file) => file.path === path) || isOfSomebodyElse(cwd, path, warnings)) return [];
  const file = await readConfigFile(path, true);
  return file ? [file] : [];
}

function warnAboutScript(path: string, warnings: string[]): void {
  if (existsSync(path))
    warnings.push(
      `${path} is skipped: it is a Bash script, and this version reads only crush.json`,
    );
}

function isOfSomebodyElse(cwd: string, path: string, warnings: string[]): boolean {
  let owner: number | null;
  try {
    owner = ownerOf(path);
  } catch {
    return false; // reading it will say what is wrong
  }
  if (owner === null || owner === ownerOf(cwd)) return false;
  warnings.push(`${path} is skipped: it belongs to another user than ${cwd}`);
  return true;
}

export function configuredDataDirectory(files: readonly ConfigFile[]): string | null {
  const values = files.map((file) => valueAt(file.value, ["options", "data_directory"]));
  return values.findLast((value) => typeof value === "string") ?? null;
}
