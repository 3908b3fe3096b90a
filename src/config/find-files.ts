import { existsSync } from "node:fs";
import { join } from "node:path";
import { ownerOf, readConfigFile, valueAt, type ConfigFile } from "./config-file.ts";

/** The machine's and the user's own files, lowest priority first. protocol.md section 10.1. */
export async function readUserFiles(
  directories: readonly (string | null)[],
  warnings: string[],
): Promise<readonly ConfigFile[]> {
  const system = process.platform === "win32" ? [] : ["/etc/crush"];
  const found: ConfigFile[] = [];
  for (const dir of [...system, ...directories.filter((one) => one !== null)]) {
    const file = await readConfigFile(join(dir, "crush.json"), false);
    if (file) found.push(file);
    warnAboutScript(join(dir, "crushrc"), warnings);
  }
  return found;
}

/** The files from the worktree's root down to `cwd`. Those of another user are skipped with a warning. */
export async function readProjectFiles(
  cwd: string,
  directories: readonly string[],
  warnings: string[],
): Promise<readonly ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const dir of directories)
    for (const name of ["crush.json", ".crush.json", "crushrc", ".crushrc"]) {
      const path = join(dir, name);
      if (isOfSomebodyElse(cwd, path, warnings)) continue;
      if (name.endsWith("rc")) warnAboutScript(path, warnings);
      else {
        const file = await readConfigFile(path, true);
        if (file) found.push(file);
      }
    }
  return found;
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
