import type { PrepareTurn } from "../session/prepare-turn.ts";
import type { Config, SelectedModel } from "../config/config.ts";
import { systemPrompt } from "../agent/system-prompt.ts";
import { loadConfig } from "../config/load.ts";
import { recordsConfig } from "../config/records-config.ts";
import { resolveModel } from "../config/resolve-model.ts";
import { isText, type Attachment } from "../protocol/attachment.ts";
import { RunFailed } from "../protocol/ending.ts";
import type { RunId } from "../protocol/ids.ts";
import { limitsOf, type RunOptions } from "../protocol/run-options.ts";
import { embeddedServer, type EmbeddedServer } from "../server/server.ts";
import { systemClock } from "../shared/clock.ts";
import { parseSize } from "../shared/size.ts";
import { runMark } from "../tools/run-mark.ts";
import { sweepRun } from "../tools/process-sweep.ts";
import { permissionsOf } from "../tools/permissions/permissions.ts";
import { builtinTools } from "../tools/registry.ts";
import { toolEnvironment } from "../tools/tool-env.ts";
import { permissionSettings } from "./permission-settings.ts";
import { readyModel, type ReadyModel, type HearSecrets, type Surroundings } from "./ready-model.ts";
import { usage } from "./usage.ts";
import { VERSION } from "./version.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The whole server in this process: the one place where configuration, models and tools are tied to it. */
export function startEmbedded(env: Env, hearSecrets: HearSecrets = () => {}): EmbeddedServer {
  return embeddedServer({
    ...common(env),
    loadConfig: async ({ path, ...wanted }, signal) => {
      const config = await loadConfig({ cwd: path, env, ...wanted, signal });
      hearSecrets(config.secrets);
      return config;
    },
    prepareTurn: (config) => prepareTurn(config, env, { hearSecrets }),
  });
}

/** A server that runs nothing: it shows and ends what is run elsewhere, whatever the configuration says. */
export function startWithoutAgent(env: Env): EmbeddedServer {
  return embeddedServer({
    ...common(env),
    loadConfig: async ({ path, ...wanted }) => await recordsConfig({ cwd: path, env, ...wanted }),
    prepareTurn: () => null,
  });
}

const common = (env: Env) => ({
  version: VERSION,
  clock: systemClock,
  random: Math.random,
  storeLimitBytes: storeLimit(env),
  bodyLimitBytes: BODY_LIMIT_BYTES,
  onInterrupted: (runId: RunId, dataDirectory: string): void => {
    const limit = AbortSignal.timeout(SWEEP_MS);
    sweepRun(runMark(dataDirectory, runId), limit).catch(() => {}); // best effort, for a run that is over
  },
});

/** Nobody but us sends here, and what a prompt and its files may hold is bounded where they are read. */
const BODY_LIMIT_BYTES = 256 * 1024 * 1024;
/** For the leftovers of a run whose process was killed. */
const SWEEP_MS = 1_500;

/** Readiness of the prompts of a workspace with this configuration. */
export function prepareTurn(
  config: Config,
  env: Env,
  { client, hearSecrets }: Pick<Surroundings, "client" | "hearSecrets"> = {},
): PrepareTurn {
  return async ({ sessionId, runId, options, attachments, previous }, signal) => {
    const around = { env, sessionId, client, hearSecrets };
    const gates =
      options.schema === undefined && options.check === undefined
        ? null
        : (await import("../agent/prepare-gates.ts")).prepareGates(options);
    const found = await select(config, options.model ?? null, previous, signal);
    if (options.requireFiles === true) checkFiles(found, attachments);
    const { turn, provider, warnings } = await readyModel(config, found, options, around, signal);
    const small = await smallModel(config, options, around, signal);
    const { workingDirectory } = config;
    const keys = [provider, small?.provider].flatMap((one) => one?.apiKey ?? []);
    return {
      ...turn,
      ...(small === null ? {} : { summarizer: small.turn }),
      autoSummarize: config.autoSummarize,
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
      permissions: await permissionsOf(permissionSettings(config.rules, options), workingDirectory),
      workingDirectory,
      toolEnv: toolEnvironment(env, {
        secretEnvNames: config.secretEnvNames,
        secrets: [...config.secrets, ...keys],
        extra: config.env,
        runId: runId ?? sessionId,
        mark: runMark(config.dataDirectory, runId ?? sessionId),
        readsOnly: options.permissions?.readOnly ?? false,
      }),
      limits: limitsOf(options),
      allowEmpty: options.allowEmpty ?? false,
      allowBlocked: options.allowBlocked ?? false,
      gates,
      warnings: [...warnings, ...(small?.warnings ?? [])],
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

/** Who writes the summaries, where the run names a model for it. */
async function smallModel(
  config: Config,
  { smallModel: ref, maxCostUsd }: RunOptions,
  around: Parameters<typeof readyModel>[3],
  signal: AbortSignal,
): Promise<ReadyModel | null> {
  if (ref === undefined) return null;
  try {
    const found = await resolveModel(config, ref, "small", signal);
    return await readyModel(config, found, { maxCostUsd }, around, signal);
  } catch (error) {
    throw error instanceof RunFailed ? ofSmallModel(error) : error;
  }
}

/** The same failure, said of `--small-model`. */
export function ofSmallModel(error: RunFailed): RunFailed {
  const message = `--small-model: ${error.failure.message}`;
  return new RunFailed({ ...error.failure, message }, { cause: error });
}

/** An attachment that the model could not be shown is refused before anything is sent. */
function checkFiles(
  { provider, model }: SelectedModel,
  attachments: readonly Pick<Attachment, "path" | "mimeType">[],
): void {
  const unread = attachments.find((attachment) => !isText(attachment));
  if (model.supportsAttachments || unread === undefined) return;
  throw usage(
    `--file names ${unread.path} (${unread.mimeType}), and ${provider.id}/${model.id} reads no images or PDFs`,
    "use another model with -m, or set supports_attachments of this one in crush.json if it does",
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
