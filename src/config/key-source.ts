import { catalogueEntry } from "./catalogue.ts";
import type { Env } from "./places.ts";
import type { CrushJson } from "./schema.ts";
import { parseTemplate, runsCommand, variablesOf } from "./template.ts";

/** Where a provider's key comes from, in words, never the key: `OPENAI_API_KEY`; null for a provider without one. */
export function keySource(
  providerId: string,
  merged: Pick<CrushJson, "providers" | "env">,
  env: Env,
): string | null {
  const template = merged.providers?.[providerId]?.api_key;
  if (template !== undefined && template !== "") {
    const parsed = parseTemplate(template);
    if (runsCommand(parsed)) return "a command in the configuration";
    const names = variablesOf(parsed);
    return names.length === 0
      ? "the configuration"
      : names.map((name) => asSet(name, env)).join(", ");
  }
  const names = catalogueEntry(providerId)?.keyNames ?? [];
  const set = names.find((name) => isSet(env, name) || isSet(env, `CRUSH_${name}`));
  if (set !== undefined) return asSet(set, env);
  const own = names.find((name) => merged.env?.[name] !== undefined);
  return own === undefined ? null : `env.${own} of the configuration`;
}

/** `CRUSH_X` overrules `X`. */
const asSet = (name: string, env: Env): string =>
  isSet(env, `CRUSH_${name}`) ? `CRUSH_${name}` : name;

const isSet = (env: Env, name: string): boolean => (env[name] ?? "") !== "";
