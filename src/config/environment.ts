import { invalidConfig, type FieldPath } from "./config-file.ts";
import { expand, type Expansion } from "./expand.ts";
import type { Env } from "./places.ts";
import { runCommand } from "./run-command.ts";
import { ExpandFailed } from "./template.ts";

const COMMAND_TIMEOUT_MS = 30_000;

/**
 * Expansion in the environment, with the configuration's own entries over it and `CRUSH_X` over every `X`. The same
 * for finding providers and for calling them (protocol.md S20).
 */
export function expansionIn(env: Env, ownEnv: Env, cwd: string): Expansion {
  const full = new Map(Object.entries({ ...env, ...ownEnv }));
  for (const [name, value] of Object.entries(env))
    if (/^CRUSH_./.test(name) && value !== undefined) full.set(name.slice(6), value);
  return {
    lookup: (name) => full.get(name),
    run: (command, signal) =>
      runCommand(command, {
        cwd,
        env: Object.fromEntries(full),
        timeoutMs: COMMAND_TIMEOUT_MS,
        signal,
      }),
  };
}

/** The same without a command: what one would say reads `not-asked`. */
export const withoutCommands = (expansion: Expansion): Expansion => ({
  ...expansion,
  run: async () => "not-asked",
});

/** `env` of the configuration, expanded in the order of its names; an entry sees those before it. Throws `RunFailed`. */
export async function expandEnv(
  templates: Readonly<Record<string, string>>,
  expansion: Expansion,
  locate: (field: FieldPath) => Promise<string>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const expanded: Record<string, string> = {};
  for (const name of Object.keys(templates).sort()) {
    const lookup = (one: string): string | undefined =>
      Object.hasOwn(expanded, one) ? expanded[one] : expansion.lookup(one);
    try {
      expanded[name] = await expand(templates[name] ?? "", { ...expansion, lookup }, signal);
    } catch (error) {
      if (!(error instanceof ExpandFailed)) throw error;
      throw invalidConfig(
        `${await locate(["env", name])}: env.${name} cannot be expanded: ${error.message}`,
        "correct the value, or what it refers to",
        error,
      );
    }
  }
  return expanded;
}
