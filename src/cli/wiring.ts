import type { PrepareTurn } from "../session/prepare-turn.ts";
import type { Config, ProviderConfig, SelectedModel } from "../config/config.ts";
import { systemPrompt } from "../agent/system-prompt.ts";
import { freshKey, hasSameKey } from "../config/fresh-key.ts";
import { loadConfig } from "../config/load.ts";
import { resolveModel } from "../config/resolve-model.ts";
import { RunFailed } from "../protocol/ending.ts";
import { limitsOf, type RunOptions } from "../protocol/run-options.ts";
import type { LanguageModel } from "../provider/language-model.ts";
import { openModel } from "../provider/open-model.ts";
import { embeddedServer, type EmbeddedServer } from "../server/server.ts";
import { systemClock } from "../shared/clock.ts";
import { parseSize } from "../shared/size.ts";
import { sweepRun } from "../tools/process-sweep.ts";
import { builtinTools } from "../tools/registry.ts";
import { toolEnvironment } from "../tools/tool-env.ts";
import { usage } from "./usage.ts";
import { VERSION } from "./version.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The whole server in this process: the one place where configuration, models and tools are tied to it. */
export function startEmbedded(env: Env): EmbeddedServer {
  return embeddedServer({
    version: VERSION,
    clock: systemClock,
    random: Math.random,
    storeLimitBytes: storeLimit(env),
    loadConfig: async ({ path, dataDir, trustConfig }, signal) =>
      await loadConfig({ cwd: path, env, dataDir, trustConfig, signal }),
    prepareTurn: (config) => prepareTurn(config, env),
    onInterrupted: (runId) => {
      sweepRun(runId, AbortSignal.timeout(SWEEP_MS)).catch(() => {}); // best effort, for a run that is over
    },
  });
}

/** For the leftovers of a run whose process was killed. */
const SWEEP_MS = 1_500;

/** Readiness of the prompts of a workspace with this configuration. */
export function prepareTurn(config: Config, env: Env): PrepareTurn {
  return async ({ sessionId, runId, options, previous }, signal) => {
    const limits = limitsOf(options);
    const found = await select(config, options.model ?? null, previous, signal);
    if (limits.maxCostUsd !== null) checkPrices(found);
    const { provider, warning } = await freshKey(config, found.provider, signal);
    const selected = await withAskedOf(options, { ...found, provider });
    const info = selected.model;
    const { workingDirectory } = config;
    const open = async ({ apiKey, extraHeaders }: ProviderConfig): Promise<LanguageModel> =>
      await openModel(
        { ...selected, provider: { ...selected.provider, apiKey, extraHeaders } },
        { env, sessionId, workingDirectory },
      );
    const credentials = config.completions.get(provider.id)?.credentials ?? null;
    return {
      model: await open(selected.provider),
      refreshModel:
        credentials === null
          ? null
          : async (refreshSignal) => {
              const renewed = await credentials.renew(refreshSignal);
              return hasSameKey(provider, renewed) ? null : await open(renewed);
            },
      modelId: info.id,
      providerId: provider.id,
      prices: {
        input: info.costPer1mIn,
        output: info.costPer1mOut,
        cachedInput: info.costPer1mOutCached,
        cacheWrite: info.costPer1mInCached,
      },
      contextWindow: info.contextWindow,
      autoSummarize: config.autoSummarize,
      takesFiles: info.supportsAttachments,
      system: systemPrompt({
        prefix: provider.systemPromptPrefix,
        workingDirectory,
        platform: process.platform,
        date: new Date(systemClock.now()).toISOString().slice(0, 10),
        contextFiles: config.contextFiles,
        system: options.system,
        appendSystem: options.appendSystem,
      }),
      tools: builtinTools({ disabled: config.disabledTools }),
      workingDirectory,
      toolEnv: toolEnvironment(env, {
        secretEnvNames: config.secretEnvNames,
        secrets: provider.apiKey === null ? config.secrets : [...config.secrets, provider.apiKey],
        extra: config.env,
        runId: runId ?? sessionId,
      }),
      limits,
      allowEmpty: options.allowEmpty ?? false,
      allowBlocked: options.allowBlocked ?? false,
      warnings: warning === null ? [] : [{ code: "key_refresh", message: warning }],
    };
  };
}

/** The model asked for, else the one that wrote the session's last answer if it is still there, else the configured one. */
async function select(
  config: Config,
  asked: string | null,
  previous: { readonly provider: string; readonly model: string } | null,
  signal: AbortSignal,
): Promise<SelectedModel> {
  if (asked === null && previous !== null && config.providers.has(previous.provider)) {
    try {
      const ref = `${previous.provider}/${previous.model}`;
      return await resolveModel(config, ref, "large", signal);
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      // No longer usable: the configured model goes on.
    }
  }
  return await resolveModel(config, asked, "large", signal);
}

/** What the run asks of its model itself. */
async function withAskedOf(
  { reasoningEffort, temperature }: RunOptions,
  selected: SelectedModel,
): Promise<SelectedModel> {
  if (reasoningEffort === undefined && temperature === undefined) return selected;
  const { withAsked } = await import("../provider/asked-parameters.ts");
  return withAsked(selected, { reasoningEffort, temperature });
}

/** A limit that could not be kept is refused before anything is sent. */
function checkPrices({ provider, model }: SelectedModel): void {
  if (model.costPer1mIn !== null && model.costPer1mOut !== null) return;
  throw usage(
    `--max-cost needs prices, and those of ${provider.id}/${model.id} are not known`,
    "set cost_per_1m_in and cost_per_1m_out of the model in crush.json, or use --max-tokens",
  );
}

function storeLimit(env: Env): number | null {
  const text = env["CRUSH_RUN_STORE_LIMIT"] ?? "";
  if (text === "") return null;
  const bytes = parseSize(text);
  if (bytes !== null && bytes > 0) return bytes;
  throw usage(
    `CRUSH_RUN_STORE_LIMIT is ${JSON.stringify(text)}, which is no size`,
    "use bytes, or 64k, 10m, 1g",
  );
}
