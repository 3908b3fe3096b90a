import { proxyFor } from "../net/proxy.ts";
import { expansionIn } from "./environment.ts";
import { expand } from "./expand.ts";
import type { Env } from "./places.ts";
import { normalBaseUrl, ollamaUrl } from "./provider-type.ts";
import type { CrushJson } from "./schema.ts";
import { ExpandFailed } from "./template.ts";
import { isLoopback } from "./trust.ts";

/**
 * The address of a provider whose list of models can be asked for without leaving this machine: neither its server nor a proxy on the way
 * is elsewhere. Null for others, and where only a command could tell.
 */
export async function localServer(
  providerId: string,
  merged: Pick<CrushJson, "providers">,
  env: Env,
  signal: AbortSignal,
): Promise<string | null> {
  const { lookup } = expansionIn(env, {}, "/");
  const run = async (): Promise<string> => await Promise.reject(new ExpandFailed("no command"));
  const template = merged.providers?.[providerId]?.base_url;
  try {
    const given = template === undefined ? "" : await expand(template, { lookup, run }, signal);
    const url =
      given !== ""
        ? normalBaseUrl(given, "openai-compat")
        : providerId === "ollama"
          ? ollamaUrl(lookup("OLLAMA_HOST"))
          : null;
    return url !== null && isLoopback(url) && proxyFor(new URL(url), env) === null ? url : null;
  } catch (error) {
    if (error instanceof ExpandFailed || error instanceof TypeError) return null;
    throw error;
  }
}
