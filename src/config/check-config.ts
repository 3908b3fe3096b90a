import { RunFailed, type Reason, type RunFailure } from "../protocol/ending.ts";
import { isJsonObject } from "../shared/json.ts";
import { inspectFile } from "./check-file.ts";
import type { Config } from "./config.ts";
import { locator } from "./config-file.ts";
import { loadConfig, type LoadOptions } from "./load.ts";
import { inspectNotCarriedOut } from "./not-carried-out.ts";
import { choiceOf, isSameProvider, modelOf, providerOf } from "./selection.ts";
import { surveyConfig, type Survey } from "./survey.ts";
import { templateProblems, trustProblems } from "./trust.ts";

/** One thing to say about a configuration. Its message begins with `file:line:column: ` where it has a place. */
export interface Finding {
  /** An error ends a run, a warning does not. */
  readonly severity: "error" | "warning";
  readonly kind: "file" | "trust" | "value" | "model";
  readonly message: string;
  readonly remedy: string | null;
  readonly reason: Exclude<Reason, "end_turn"> | null;
}

export interface InspectedConfig {
  readonly survey: Survey;
  readonly findings: readonly Finding[];
}

export interface CheckedConfig extends InspectedConfig {
  /** What a run would be given; null when it would be refused. */
  readonly config: Config | null;
}

/**
 * Everything that is wrong with a configuration, where a run tells the first mistake and ends. Rejects only with
 * `signal.reason`, or for a working directory that is none.
 */
export async function checkConfig(options: LoadOptions): Promise<CheckedConfig> {
  const { survey, findings } = await inspectConfig(options);
  if (findings.some(({ severity }) => severity === "error"))
    return { survey, findings, config: null };
  try {
    const config = await loadConfig(options);
    return {
      survey,
      // It tells the same warnings, and those that only a whole configuration has.
      findings: [
        ...config.warnings.map(warning("value")),
        ...unusableIn(config, survey),
        ...(await unresolvedIn(config)),
      ],
      config,
    };
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    return { survey, findings: [...findings, problem("value")(error.failure)], config: null };
  }
}

/** The same as far as it can be told by reading: nothing is expanded, no command is run. */
export async function inspectConfig(
  options: Omit<LoadOptions, "signal">,
): Promise<InspectedConfig> {
  const survey = await surveyConfig(options);
  const findings: Finding[] = [];
  for (const { why, problem: broken, file } of survey.places) {
    if (why !== null) findings.push(warning("file")(why));
    if (broken !== null) findings.push(problem("file")(broken.failure));
    if (file === null) continue;
    const { problems, warnings } = await inspectFile(file);
    findings.push(...[...problems, ...(await templateProblems(file))].map(thrown("value")));
    findings.push(...warnings.map(warning("value")));
  }
  const { files, merged } = survey;
  const { problems, warnings } = await inspectNotCarriedOut(files, merged);
  const trust = await trustProblems({
    files,
    merged,
    env: options.env,
    trustConfig: options.trustConfig ?? false,
    home: survey.user.home,
    root: survey.root,
    userConfig: survey.user.config,
    dataDirectory: (options.dataDir ?? null) === null ? survey.dataDirectory : null,
  });
  const locate = locator(files);
  for (const kind of ["large", "small"] as const) {
    if (!isJsonObject(merged.models?.[kind])) continue;
    const failed = await caught(choiceOf(merged, kind, locate));
    if (failed !== null) findings.push(thrown("value")(failed));
  }
  return {
    survey,
    findings: [
      ...findings,
      ...problems.map(thrown("value")),
      ...warnings.map(warning("value")),
      ...trust.map(thrown("trust")),
    ],
  };
}

/** Providers that the configuration names and that no run could use. */
function unusableIn(config: Config, { merged }: Survey): readonly Finding[] {
  return config.unusable
    .filter(({ id, reason }) => {
      const isDisabled = merged.providers?.[id]?.disable === true;
      return reason === "invalid_config" && !isDisabled;
    })
    .map(({ id, why, remedy }) => ({
      severity: "warning",
      kind: "value",
      message: why.includes(`providers.${id}`) ? why : `providers.${id}: ${why}`,
      remedy,
      reason: null,
    }));
}

/** What `models.large` and `models.small` select must be there, as far as that is known without asking. */
async function unresolvedIn(config: Config): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const kind of ["large", "small"] as const) {
    const choice = config.choices[kind];
    if (choice === null) continue;
    const { providerId, modelId } = choice;
    const provider = providerOf(config.providers, providerId);
    const completion = config.completions.get(provider?.id ?? providerId);
    if (completion?.discovers === true || (provider && modelOf(provider, modelId))) continue;
    const unusable = config.unusable.find(({ id }) => isSameProvider(id, providerId));
    const why = provider
      ? `there is no such model of ${provider.id}`
      : (unusable?.why ?? `there is no provider ${providerId}`);
    findings.push({
      // A key is no part of the file; the small model serves only who asks for it.
      severity: unusable?.reason === "auth_missing" || kind === "small" ? "warning" : "error",
      kind: "model",
      message: `${await choice.where()}: models.${kind} selects ${providerId}/${modelId}: ${why}`,
      remedy: provider ? "see: crush models" : (unusable?.remedy ?? "see: crush models"),
      reason: unusable?.reason ?? "unknown_model",
    });
  }
  return findings;
}

async function caught(work: Promise<unknown>): Promise<RunFailed | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof RunFailed) return error;
    throw error;
  }
}

const warning =
  (kind: Finding["kind"]) =>
  (message: string): Finding => ({
    severity: "warning",
    kind,
    message,
    remedy: null,
    reason: null,
  });

const problem =
  (kind: Finding["kind"]) =>
  ({ message, remedy, reason }: RunFailure): Finding => ({
    severity: "error",
    kind,
    message,
    remedy,
    reason,
  });

const thrown =
  (kind: Finding["kind"]) =>
  (error: RunFailed): Finding =>
    problem(kind)(error.failure);
