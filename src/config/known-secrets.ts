import { CATALOGUE } from "./catalogue.ts";
import type { ConfigFile } from "./config-file.ts";
import { enterDirectory } from "./enter-directory.ts";
import type { Env } from "./places.ts";
import { readableFiles } from "./readable-files.ts";
import { ExpandFailed, parseTemplate, runsCommand, variablesOf } from "./template.ts";

/** Shorter values are no secrets: masking them would spoil ordinary text. */
const MIN_LENGTH = 6;
/** Names under which a configuration or an environment keeps what nobody else may see. */
const SECRET_NAME =
  /(^|[-_.])(api[-_]?key|auth|authorization|key|token|secret|cookie|password|passwd|credentials?)$/i;

/**
 * Every secret that can be told without running a command: keys of providers and whatever is named like a secret, in the environment and in the
 * configuration files, valid or not. For whoever shows what was said long ago, when no run needs the keys. What a `$(command)` would say
 * is not among them.
 */
export async function knownSecrets(
  cwd: string,
  env: Env,
  configFile: string | null = null,
): Promise<readonly string[]> {
  const { files } = await readableFiles(enterDirectory(cwd), env, { configFile });
  const names = new Set(CATALOGUE.flatMap(({ keyNames }) => keyNames.flatMap(twins)));
  const values: string[] = [];
  for (const template of files.flatMap(secretsIn)) {
    const said = variablesIn(template);
    if (said === null) values.push(template, ...template.split(/\s+/));
    else for (const name of said) for (const one of twins(name)) names.add(one);
  }
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && (names.has(name) || SECRET_NAME.test(name)))
      values.push(value, ...value.split(/\s+/));
  return [...new Set(values.filter(isSecret))];
}

const twins = (name: string): string[] => [name, `CRUSH_${name}`];

/** Words alone are placeholders: `api_key: "ollama"`. */
const isSecret = (value: string): boolean =>
  value.length >= MIN_LENGTH && !/^[a-z]+([-_ ][a-z]+)*$/i.test(value);

/** Texts under a name that tells of a secret, wherever they stand. */
function secretsIn(file: ConfigFile): string[] {
  const found: string[] = [];
  const open: unknown[] = [file.value];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    for (const [name, inner] of Object.entries(value))
      if (typeof inner === "string" && SECRET_NAME.test(name)) found.push(inner);
      else open.push(inner);
  }
  return found;
}

/** Null for a text that stands for itself, or for what it does not even parse as. */
function variablesIn(template: string): readonly string[] | null {
  try {
    const parsed = parseTemplate(template);
    const names = variablesOf(parsed);
    return names.length > 0 || runsCommand(parsed) ? names : null;
  } catch (error) {
    if (error instanceof ExpandFailed) return null;
    throw error;
  }
}
