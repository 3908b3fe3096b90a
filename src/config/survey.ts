import { lstatSync } from "node:fs";
import { RunFailed } from "../protocol/ending.ts";
import type { JsonObject } from "../shared/json.ts";
import { readConfigFile, type ConfigFile } from "./config-file.ts";
import { enterDirectory } from "./enter-directory.ts";
import {
  configuredDataDirectory,
  dataDirectoryCandidate,
  isOfSomebodyElse,
  namedCandidates,
  projectCandidates,
  scriptSkipped,
  somebodyElses,
  userCandidates,
  withNamed,
  type Candidate,
} from "./find-files.ts";
import type { LoadOptions } from "./load.ts";
import { merge } from "./merge.ts";
import {
  codeRoot,
  dataDirectory,
  projectDirectories,
  userDirectories,
  type UserDirectories,
} from "./places.ts";
import type { CrushJson } from "./schema.ts";

/** A place where configuration is looked for, and what was found there. */
export interface Place {
  readonly path: string;
  readonly layer: Candidate["layer"];
  readonly state: "read" | "empty" | "missing" | "skipped" | "broken";
  readonly file: ConfigFile | null;
  /** Why it was skipped. */
  readonly why: string | null;
  /** Why it is broken. */
  readonly problem: RunFailed | null;
}

/** Everything that a run would look for, whatever is wrong with it. */
export interface Survey {
  readonly workingDirectory: string;
  readonly dataDirectory: string;
  /** The worktree, or the working directory alone: what comes with the code. */
  readonly root: string;
  readonly user: UserDirectories;
  /** Lowest priority first, as `loadConfig` reads them. */
  readonly places: readonly Place[];
  readonly files: readonly ConfigFile[];
  /** As a run would merge them; its types are not checked. */
  readonly merged: CrushJson;
}

/** Looks at every place of a configuration. Where `loadConfig` would stop, it notes the failure and goes on. */
export async function surveyConfig({
  cwd: asked,
  env,
  dataDir,
  isolated = false,
  configFile = null,
}: Omit<LoadOptions, "signal" | "trustConfig">): Promise<Survey> {
  const cwd = enterDirectory(asked);
  const user = userDirectories(cwd, env);
  const project = projectDirectories(cwd);
  const found: Place[] = [];
  const named: Place[] = [];
  for (const one of namedCandidates(configFile)) named.push(await look(one, null));
  if (!isolated) {
    for (const one of userCandidates([user.config, user.data])) found.push(await look(one, null));
    for (const one of projectCandidates(project)) found.push(await look(one, cwd));
  }
  const configured = dataDir ?? configuredDataDirectory(filesOf([...found, ...named]));
  const data = dataDirectory(cwd, project, user.home, configured);
  const last = dataDirectoryCandidate(data);
  if (!isolated && !found.some(({ path }) => path === last.path)) found.push(await look(last, cwd));
  const places = withNamed(found, named);
  const files = filesOf(places);
  return {
    files,
    merged: files.reduce<JsonObject>((base, file) => merge(base, file.value), {}),
    workingDirectory: cwd,
    dataDirectory: data,
    root: codeRoot(cwd, project[0], user.home),
    user,
    // A script is worth a word only where there is one.
    places: places.filter(({ path, state }) => !path.endsWith("rc") || state !== "missing"),
  };
}

const filesOf = (places: readonly Place[]): readonly ConfigFile[] =>
  places.flatMap(({ file }) => (file === null ? [] : [file]));

/** `cwd` is whose owner must own it too; null for the user's own files. */
async function look({ path, layer, isScript }: Candidate, cwd: string | null): Promise<Place> {
  const place = { path, layer, file: null, why: null, problem: null };
  if (!isThere(path)) return { ...place, state: "missing" };
  if (cwd !== null && isOfSomebodyElse(cwd, path))
    return { ...place, state: "skipped", why: somebodyElses(cwd, path) };
  if (isScript) return { ...place, state: "skipped", why: scriptSkipped(path) };
  try {
    const file = await readConfigFile(path, cwd !== null);
    return { ...place, state: file === null ? "empty" : "read", file };
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    return { ...place, state: "broken", problem: error };
  }
}

/** A link that leads nowhere is there too, and reads as missing. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // a directory on the way that may not be searched: reading it says so
  }
}
