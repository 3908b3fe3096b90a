import type { CheckedConfig, Finding } from "../../config/check-config.ts";
import type { Config, ProviderConfig } from "../../config/config.ts";
import { discoverModels } from "../../config/discover.ts";
import { keySource } from "../../config/key-source.ts";
import { localServer } from "../../config/local-server.ts";
import type { Env } from "../../config/places.ts";
import { resolveModel } from "../../config/resolve-model.ts";
import { firstProvider, isSameProvider } from "../../config/selection.ts";
import type { Survey } from "../../config/survey.ts";
import { RunFailed } from "../../protocol/ending.ts";
import { masked } from "../../shared/masked.ts";
import { checkPrices } from "../ready-model.ts";
import { fine, note, problem, warning, type DoctorFinding } from "./finding.ts";

export interface ModelQuestion {
  readonly checked: CheckedConfig;
  readonly env: Env;
  /** As `-m` gives it. */
  readonly model: string | null;
  /** Whether a request may leave this machine. */
  readonly online: boolean;
}

/** Configuration, providers and the model that a run would use. */
export async function lookAtModels(
  question: ModelQuestion,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  const { checked } = question;
  const { survey, config } = checked;
  const findings = configuration(checked);
  if (config === null) return findings;
  const all = [
    ...findings,
    ...providers(config, survey, question.env),
    ...(await servers(config, question, signal)),
    await model(config, question, signal),
    ...(await small(config, question.env, signal)),
  ];
  return all.map((one) => ({
    ...one,
    text: masked(one.text, config.secrets),
    remedy: one.remedy === null ? null : masked(one.remedy, config.secrets),
  }));
}

function configuration({ survey, findings }: CheckedConfig): readonly DoctorFinding[] {
  const files = survey.files.map(({ path }) => path);
  const isWrong = findings.some(({ severity, kind }) => severity === "error" && kind !== "trust");
  const isAsked = findings.some(({ kind }) => kind === "trust");
  const ofProject = survey.files.filter(({ fromProject }) => fromProject).length;
  return [
    ...(isWrong ? [] : [fine("config", files.join(", ") || "no file, and none is needed")]),
    ...(isAsked || ofProject === 0
      ? []
      : [fine("trust", "the project's files ask for nothing that they are not trusted with")]),
    ...findings.map(asDoctors),
  ];
}

function asDoctors({ severity, kind, message, remedy, reason }: Finding): DoctorFinding {
  const topic = kind === "trust" ? "trust" : "config";
  // A model is asked for below, as a run asks for it.
  if (severity === "warning" || kind === "model") return warning(topic, message, remedy);
  return problem(topic, { message, remedy, reason: reason ?? "invalid_config" });
}

function providers(config: Config, { merged }: Survey, env: Env): readonly DoctorFinding[] {
  const usable = [...config.providers.values()].filter(({ type }) => type !== "demo");
  const keyless = config.unusable.filter(({ reason }) => reason === "auth_missing");
  return [
    ...usable.map(({ id }) => {
      const source = keySource(id, merged, env);
      return fine("provider", `${id}: ${source === null ? "needs no key" : `key from ${source}`}`);
    }),
    ...config.unusable
      .filter(({ id }) => merged.providers?.[id] !== undefined)
      .map(({ id, why, remedy }) => warning("provider", `${id}: ${why}`, remedy)),
    ...(keyless.length === 0
      ? []
      : [note("provider", `without a key: ${keyless.map(({ id }) => id).join(", ")}`)]),
    note("provider", "demo/offline is always there and needs no key"),
  ];
}

/** What can be asked without leaving this machine, and with `--online` everything that a run could use. */
async function servers(
  config: Config,
  { checked, env, model: ref, online }: ModelQuestion,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  const { merged } = checked.survey;
  const ids = new Set([...config.providers.keys(), ...config.completions.keys()]);
  const asked = [...ids].map(async (id): Promise<readonly DoctorFinding[]> => {
    const provider = config.providers.get(id);
    if (provider?.type === "demo" || provider?.type === "scripted") return [];
    const completion = config.completions.get(id);
    // Ollama that nobody configured serves only where nothing else does.
    if (provider === undefined && firstProvider(config.providers) !== undefined) return [];
    const local = await localServer(id, merged, env, signal);
    if (local === null && !online) return [];
    const topic = local === null ? "online" : "server";
    try {
      const whole = (await completion?.finish(signal)) ?? provider;
      if (whole === undefined) return [];
      const count =
        completion?.discovers === true ? whole.models.length : await listed(whole, env, signal);
      return [fine(topic, `${id}${at(local)} answers and lists ${count} models`)];
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      const { message, remedy, httpStatus } = error.failure;
      if (provider === undefined) return [note(topic, message)];
      // Some servers list nothing and answer all the same. What has to list its models is asked for again below.
      const isFatal = httpStatus === null || httpStatus === 401 || httpStatus === 403;
      const isMeant =
        isSameProvider(id, meantProvider(config, ref)) && completion?.discovers !== true;
      return [isFatal && isMeant ? problem(topic, error.failure) : warning(topic, message, remedy)];
    }
  });
  const findings = (await Promise.all(asked)).flat();
  const silent = !online && [...config.providers.values()].some(({ type }) => type !== "demo");
  return silent
    ? [...findings, note("online", "no request has left this machine; --online asks each provider")]
    : findings;
}

/** The provider of the model that a run would use. */
const meantProvider = (config: Config, ref: string | null): string =>
  (ref?.includes("/") === true ? ref.split("/")[0] : null) ??
  config.choices.large?.providerId ??
  firstProvider(config.providers)?.id ??
  "ollama";

const at = (url: string | null): string => (url === null ? "" : ` at ${url}`);

const ASK_MS = 3_000;

async function listed(provider: ProviderConfig, env: Env, signal: AbortSignal): Promise<number> {
  const remedy = "check the address, the proxy and the network";
  const options = { env, connectMs: ASK_MS, totalMs: ASK_MS, remedy };
  return (await discoverModels(provider, options, signal)).length;
}

/** As a run finds it, unless that needs a request that may not be made. */
async function model(
  config: Config,
  { checked, env, model: ref, online }: ModelQuestion,
  signal: AbortSignal,
): Promise<DoctorFinding> {
  const choice = config.choices.large;
  const id = meantProvider(config, ref);
  const asks = [...config.completions].some(
    ([one, { discovers }]) => discovers && isSameProvider(one, id),
  );
  if (asks && !online && (await localServer(id, checked.survey.merged, env, signal)) === null)
    return note(
      "model",
      `${ref ?? choice?.modelId ?? "the first"} of ${id}, which would have to be asked for its list: use --online`,
    );
  try {
    const { provider, model: found } = await resolveModel(config, ref, "large", signal);
    if (limitsCost(env)) checkPrices({ provider, model: found });
    const why = ref !== null ? "asked for" : choice !== null ? "models.large" : "the default";
    return fine("model", `${provider.id}/${found.id} (${why})`);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    return problem("model", error.failure);
  }
}

/** Who would write summaries, if a variable names a model for it. */
async function small(
  config: Config,
  env: Env,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  const ref = env["CRUSH_RUN_SMALL_MODEL"] ?? "";
  if (ref === "") return [];
  try {
    const { provider, model: found } = await resolveModel(config, ref, "small", signal);
    if (limitsCost(env)) checkPrices({ provider, model: found });
    return [fine("model", `${provider.id}/${found.id} (for summaries)`)];
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    const message = `CRUSH_RUN_SMALL_MODEL: ${error.failure.message}`;
    return [problem("model", { ...error.failure, message })];
  }
}

const limitsCost = (env: Env): boolean => (env["CRUSH_RUN_MAX_COST"] ?? "") !== "";
