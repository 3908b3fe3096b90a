import { existsSync } from "node:fs";
import { join } from "node:path";
import { failure, RunFailed } from "../protocol/ending.ts";
import { ownerOf, readConfigFile, valueAt, type ConfigFile } from "./config-file.ts";
import { realPath } from "./places.ts";

type Read = typeof readConfigFile;

/** A file that may be there. */
export interface Candidate {
  readonly path: string;
  readonly layer: "machine" | "user" | "project" | "data_directory" | "flag";
  /** A Bash script of Crush, looked for only to say that it is skipped. */
  readonly isScript: boolean;
}

/** The machine's and the user's own files, lowest priority first. protocol.md section 10.1. */
export function userCandidates(directories: readonly (string | null)[]): readonly Candidate[] {
  const machine = process.platform === "win32" ? [] : ["/etc/crush"];
  const user = directories.filter((one) => one !== null);
  const named = (layer: Candidate["layer"]) => (dir: string) =>
    candidates(dir, layer, ["crush.json", "crushrc"]);
  return [...machine.flatMap(named("machine")), ...user.flatMap(named("user"))];
}

/** The files from the worktree's root down to the working directory. */
export const projectCandidates = (directories: readonly string[]): readonly Candidate[] =>
  directories.flatMap((dir) =>
    candidates(dir, "project", ["crush.json", ".crush.json", "crushrc", ".crushrc"]),
  );

/** It may come with the code as well as from us, so it is the project's. */
export const dataDirectoryCandidate = (dataDir: string): Candidate => ({
  path: join(dataDir, "crush.json"),
  layer: "data_directory",
  isScript: false,
});

/** The file that `--config` names, or none. Throws `usage` when it is not there. */
export function namedCandidates(path: string | null): readonly Candidate[] {
  if (path === null) return [];
  if (existsSync(path)) return [{ path, layer: "flag", isScript: false }];
  throw new RunFailed(
    failure("usage", `--config names ${path}, which is not there`, {
      remedy: "name a configuration file that exists",
    }),
  );
}

const candidates = (
  directory: string,
  layer: Candidate["layer"],
  names: readonly string[],
): readonly Candidate[] =>
  names.map((name) => ({ path: join(directory, name), layer, isScript: name.endsWith("rc") }));

export async function readUserFiles(
  directories: readonly (string | null)[],
  read: Read = readConfigFile,
): Promise<readonly ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const { path, isScript } of userCandidates(directories)) {
    const file = isScript ? null : await read(path, false);
    if (file) found.push(file);
  }
  return found;
}

/** Those of another user are skipped with a warning. */
export async function readProjectFiles(
  cwd: string,
  directories: readonly string[],
  warnings: string[],
  read: Read = readConfigFile,
): Promise<readonly ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const { path, isScript } of projectCandidates(directories)) {
    if (isScript || skippedAsOfSomebodyElse(cwd, path, warnings)) continue;
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
  for (const { path, isScript } of userCandidates(userDirectories))
    if (isScript) warnAboutScript(path, warnings);
  for (const { path, isScript } of projectCandidates(projectDirectories))
    if (isScript && !skippedAsOfSomebodyElse(cwd, path, warnings)) warnAboutScript(path, warnings);
  return warnings;
}

/** `<data directory>/crush.json`. */
export async function readWorkspaceFile(
  cwd: string,
  dataDir: string,
  read: readonly ConfigFile[],
  warnings: string[],
): Promise<readonly ConfigFile[]> {
  const { path } = dataDirectoryCandidate(dataDir);
  if (read.some((file) => file.path === path) || skippedAsOfSomebodyElse(cwd, path, warnings))
    return [];
  const file = await readConfigFile(path, true);
  return file ? [file] : [];
}

/** Like `namedCandidates`; one with nothing in it is read as well. */
export async function readNamedFile(
  named: string | null,
  read: Read = readConfigFile,
): Promise<readonly ConfigFile[]> {
  const [candidate] = namedCandidates(named);
  if (candidate === undefined) return [];
  const { path } = candidate;
  return [(await read(path, false)) ?? { path, fromProject: false, text: "", value: {} }];
}

/** The named file over those that were found. It counts once, with the trust of whoever named it. */
export function withNamed<T extends { readonly path: string }>(
  found: readonly T[],
  named: readonly T[],
): readonly T[] {
  const [file] = named;
  if (file === undefined) return found;
  const real = realPath(file.path);
  return [...found.filter(({ path }) => realPath(path) !== real), file];
}

function warnAboutScript(path: string, warnings: string[]): void {
  if (existsSync(path)) warnings.push(scriptSkipped(path));
}

export const scriptSkipped = (path: string): string =>
  `${path} is skipped: it is a Bash script, and this version reads only crush.json`;

function skippedAsOfSomebodyElse(cwd: string, path: string, warnings: string[]): boolean {
  if (!isOfSomebodyElse(cwd, path)) return false;
  warnings.push(somebodyElses(cwd, path));
  return true;
}

export const somebodyElses = (cwd: string, path: string): string =>
  `${path} is skipped: it belongs to another user than ${cwd}`;

export function isOfSomebodyElse(cwd: string, path: string): boolean {
  try {
    const owner = ownerOf(path);
    return owner !== null && owner !== ownerOf(cwd);
  } catch {
    return false; // reading it will say what is wrong
  }
}

export function configuredDataDirectory(files: readonly ConfigFile[]): string | null {
  const values = files.map((file) => valueAt(file.value, ["options", "data_directory"]));
  return values.findLast((value) => typeof value === "string") ?? null;
}
