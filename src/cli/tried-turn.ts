import type { TurnSetup } from "../agent/turn-setup.ts";
import type { Config, ProviderConfig } from "../config/config.ts";
import { unasked, type UnaskedConfig } from "../config/unasked.ts";
import { RunFailed } from "../protocol/ending.ts";
import { parametersOf, requestCatcher } from "../provider/unsent-request.ts";
import type { PrepareRequest } from "../session/prepare-turn.ts";
import type { JsonObject } from "../shared/json.ts";
import { ofSmallModel, prepareTurn } from "./wiring.ts";

/** A turn that is ready to begin, made without a command and without the network. */
export interface TriedTurn {
  readonly setup: TurnSetup;
  readonly provider: ProviderConfig;
  /** `provider/model`; null when only the provider's list would tell. */
  readonly model: string | null;
  /** Scheme, host and port; null when there is none, or a command says it. */
  readonly server: string | null;
  readonly key: "set" | "none" | "not_known";
  /** As the API names them. */
  readonly parameters: JsonObject;
  /** One sentence each. */
  readonly unknown: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Rejects with `RunFailed` where a run would, and with `signal.reason`. */
export async function tryTurn(
  config: Config,
  env: Env,
  request: PrepareRequest,
  signal: AbortSignal,
): Promise<TriedTurn> {
  const { smallModel, ...options } = request.options;
  const turn = await tryModel(config, env, { ...request, options }, signal);
  const unknown = [
    ...turn.unknown,
    ...(smallModel === undefined ? [] : await openOfSmall(config, env, request, signal)),
  ];
  return { ...turn, unknown: [...new Set(unknown)] };
}

/** What is not known of the model for summaries, which is tried as if it were the one that answers. */
async function openOfSmall(
  config: Config,
  env: Env,
  { options: { smallModel, maxCostUsd }, ...request }: PrepareRequest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const options = { ...(maxCostUsd !== undefined && { maxCostUsd }), model: smallModel };
  try {
    return (await tryModel(config, env, { ...request, options }, signal)).unknown;
  } catch (error) {
    throw error instanceof RunFailed ? ofSmallModel(error) : error;
  }
}

async function tryModel(
  config: Config,
  env: Env,
  request: PrepareRequest,
  signal: AbortSignal,
): Promise<TriedTurn> {
  const silent = unasked(config, null);
  try {
    return await tryWith(silent, env, request, null, signal);
  } catch (error) {
    const listing = [...silent.peeked].find(([, { discovers }]) => discovers);
    if (!isUnlisted(error) || listing === undefined) throw error;
    const [providerId, { provider }] = listing;
    const { large } = config.choices;
    const chosen = large === null ? null : `${large.providerId}/${large.modelId}`;
    const asked = request.options.model ?? chosen;
    const own = asked?.startsWith(`${providerId}/`) ? asked.slice(providerId.length + 1) : null;
    const at = `${providerId} at ${originOf(provider.baseUrl) ?? "an address not known"}`;
    const assumed = {
      providerId,
      modelId: own ?? asked ?? "unknown",
      isNamed: own !== null,
      open:
        asked === null
          ? `which model it is: ${at} would be asked for its models`
          : `whether there is ${asked}: ${at} would be asked for its models`,
    };
    const options = { ...request.options, model: `${providerId}/${assumed.modelId}` };
    const listed = unasked(config, assumed);
    return await tryWith(listed, env, { ...request, options }, assumed, signal);
  }
}

const isUnlisted = (error: unknown): boolean =>
  error instanceof RunFailed &&
  (error.failure.reason === "unknown_model" || error.failure.reason === "auth_missing");

interface Assumed {
  /** The run names provider and model itself. */
  readonly isNamed: boolean;
  /** What is open. */
  readonly open: string;
}

async function tryWith(
  { config, peeked }: UnaskedConfig,
  env: Env,
  request: PrepareRequest,
  assumed: Assumed | null,
  signal: AbortSignal,
): Promise<TriedTurn> {
  const catcher = requestCatcher();
  const setup = await prepareTurn(config, env, { client: catcher.client })(request, signal);
  const peek = peeked.get(setup.providerId);
  const provider = peek?.provider ?? config.providers.get(setup.providerId);
  if (provider === undefined) throw new Error(`a turn of no provider: ${setup.providerId}`);
  const isPlayed = provider.type === "demo" || provider.type === "scripted";
  const caught = isPlayed ? null : await parametersOf(setup.model, catcher, signal);
  const said = peek?.said ?? [];
  const isNamed = assumed?.isNamed ?? true;
  const { model: _, ...withoutModel } = caught?.parameters ?? {};
  return {
    setup,
    provider,
    model: isNamed ? setup.model.ref : null,
    server: said.includes("base_url") ? null : originOf(caught?.url ?? null),
    key: said.includes("api_key") ? "not_known" : provider.apiKey === null ? "none" : "set",
    parameters: isNamed ? (caught?.parameters ?? {}) : withoutModel,
    unknown: [
      ...(assumed === null ? [] : [assumed.open]),
      ...said.map((field) => `providers.${provider.id}.${field}: a command would say it`),
    ],
  };
}

function originOf(url: string | null): string | null {
  try {
    return url === null ? null : new URL(url).origin;
  } catch {
    return null; // a part of it is not known
  }
}
