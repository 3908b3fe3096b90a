import type { TurnModel, TurnWarning } from "../agent/turn-setup.ts";
import type { Config, ProviderConfig, SelectedModel } from "../config/config.ts";
import { freshKey, hasSameKey } from "../config/fresh-key.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import type { HttpClient } from "../provider/http-client.ts";
import type { LanguageModel } from "../provider/language-model.ts";
import { openModel } from "../provider/open-model.ts";
import { usage } from "./usage.ts";

/** A chosen model that can be called, and with whose key. */
export interface ReadyModel {
  readonly turn: TurnModel;
  readonly provider: ProviderConfig;
  /** What went wrong on the way here and ends nothing. */
  readonly warnings: readonly TurnWarning[];
}

/** Hears all secrets of a configuration that are known, each time there may be more. They leave the server by no other way. */
export type HearSecrets = (secrets: readonly string[]) => void;

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sessionId: string;
  /** Who sends the requests; one of the model's own unless told. */
  readonly client?: HttpClient | undefined;
  /** Nobody listens unless told. */
  readonly hearSecrets?: HearSecrets | undefined;
}

/** Gets a model ready: its key is fresh, what the run asks of it can be asked for. Rejects with `RunFailed`. */
export async function readyModel(
  config: Config,
  found: SelectedModel,
  asked: Pick<RunOptions, "reasoningEffort" | "temperature" | "maxCostUsd">,
  { env, sessionId, client, hearSecrets = () => {} }: Surroundings,
  signal: AbortSignal,
): Promise<ReadyModel> {
  if ((asked.maxCostUsd ?? 0) > 0) checkPrices(found);
  const { provider, warning } = await freshKey(config, found.provider, signal);
  hearSecrets(config.secrets);
  const selected = await withAskedOf(asked, { ...found, provider });
  const { workingDirectory } = config;
  const open = async ({ apiKey, extraHeaders }: ProviderConfig): Promise<LanguageModel> =>
    await openModel(
      { ...selected, provider: { ...selected.provider, apiKey, extraHeaders } },
      { env, sessionId, workingDirectory, client },
    );
  const credentials = config.completions.get(provider.id)?.credentials ?? null;
  const { model } = selected;
  return {
    turn: {
      model: await open(provider),
      refreshModel:
        credentials === null
          ? null
          : async (refreshSignal) => {
              const renewed = await credentials.renew(refreshSignal);
              hearSecrets(config.secrets);
              return hasSameKey(provider, renewed) ? null : await open(renewed);
            },
      modelId: model.id,
      providerId: provider.id,
      prices: {
        input: model.costPer1mIn,
        output: model.costPer1mOut,
        cachedInput: model.costPer1mOutCached,
        cacheWrite: model.costPer1mInCached,
      },
      contextWindow: model.contextWindow,
      takesFiles: model.supportsAttachments,
    },
    provider,
    warnings: warning === null ? [] : [{ code: "key_refresh", message: warning }],
  };
}

/** What the run asks of its model itself. */
async function withAskedOf(
  { reasoningEffort, temperature }: Pick<RunOptions, "reasoningEffort" | "temperature">,
  selected: SelectedModel,
): Promise<SelectedModel> {
  if (reasoningEffort === undefined && temperature === undefined) return selected;
  const { withAsked } = await import("../provider/asked-parameters.ts");
  return withAsked(selected, { reasoningEffort, temperature });
}

/** A limit that could not be kept is refused before anything is sent. */
export function checkPrices({ provider, model }: Pick<SelectedModel, "provider" | "model">): void {
  if (model.costPer1mIn !== null && model.costPer1mOut !== null) return;
  throw usage(
    `--max-cost needs prices, and those of ${provider.id}/${model.id} are not known`,
    "set cost_per_1m_in and cost_per_1m_out of the model in crush.json, or use --max-tokens",
  );
}
