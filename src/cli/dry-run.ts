import { knownSecrets } from "../config/known-secrets.ts";
import { loadConfig } from "../config/load.ts";
import { RunFailed } from "../protocol/ending.ts";
import { newSessionId, type RunId } from "../protocol/ids.ts";
import { masked } from "../shared/masked.ts";
import type { Answer } from "./answer.ts";
import { begunConversation } from "./begun-conversation.ts";
import { dryRunDocument, maskedDocument } from "./dry-run-document.ts";
import { dryRunText } from "./dry-run-text.ts";
import type { Progress } from "./progress.ts";
import type { Asked } from "./read-prompt.ts";
import type { RunRequest } from "./run-request.ts";
import { tryTurn } from "./tried-turn.ts";
import type { Ending } from "./worse-ending.ts";

/**
 * `--dry-run`: prints what the run would send, and to whom. Nothing is sent, stored or made, no command is run. Rejects with `RunFailed`
 * where the run would be refused before anything is sent, as far as that is known without asking.
 */
export async function dryRun(
  request: RunRequest & Asked,
  { answer, progress }: { readonly answer: Answer; readonly progress: Progress },
  signal: AbortSignal,
): Promise<Ending> {
  const { env } = process;
  const { choice, options } = request;
  const { path: cwd, ...files } = request.workspace;
  const config = await loadConfig({ cwd, env, ...files, asksNothing: true, signal });
  const warnings = [...request.warnings, ...config.warnings];
  answer.know({ configSources: config.sources, warnings });
  for (const warning of config.warnings) progress.warn(warning);
  const named = await knownSecrets(cwd, env, files.configFile ?? null);
  // The first list grows as providers are looked at.
  const mask = (text: string): string => masked(text, [...config.secrets, ...named]);
  try {
    const talk = await begunConversation(choice, config.dataDirectory);
    const { previous } = talk;
    const sessionId = talk.sessionId ?? newSessionId();
    const { runId } = choice;
    const { attachments } = request;
    const prompt = { seq: 0, sessionId, runId, options, attachments, previous };
    const tried = await tryTurn(config, env, prompt, signal);
    const turn = { ...tried, unknown: [...tried.unknown, ...openOfRun(runId)] };
    const facts = { config, turn, talk, asked: request, options, warnings };
    const document = maskedDocument(dryRunDocument(facts), mask);
    answer.know({ tried: document });
    await answer.print(dryRunText(document), progress);
    return { reason: "end_turn", failure: null };
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    const what = { ...error.failure, message: mask(error.failure.message) };
    throw new RunFailed(what, { cause: error });
  }
}

/** A run that is known is attached to, and sends nothing. */
const openOfRun = (runId: RunId | null): readonly string[] =>
  runId === null
    ? []
    : [
        `whether there is a run ${runId} already: it would be waited for, or refused if its prompt is another`,
      ];
