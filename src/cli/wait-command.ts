import { ENDINGS, failure, RunFailed } from "../protocol/ending.ts";
import type { RunId } from "../protocol/ids.ts";
import { awaitRun } from "../run/await-run.ts";
import { systemClock } from "../shared/clock.ts";
import { printError } from "./error-line.ts";
import type { Flags } from "./flag-values.ts";
import { printOut } from "./print-out.ts";
import { withWorkspace } from "./with-workspace.ts";

/**
 * `crush wait` and `crush attach`: the exit status of a run that somebody else started, and for `attach` its answer as `crush run`
 * would have printed it. Going away ends only the waiting.
 */
export async function waitCommand(
  runId: string,
  flags: Flags,
  printsAnswer: boolean,
): Promise<number> {
  const limit = flags.duration("timeout") ?? 0;
  const waiting = new AbortController();
  const timer = limit === 0 ? undefined : setTimeout(() => waiting.abort(late(runId)), limit);
  try {
    const { outcome } = await withWorkspace(
      flags,
      waiting.signal,
      async (client) => await awaitRun(client, runId as RunId, systemClock, waiting.signal),
    );
    const { text, reason } = outcome;
    const printed = printsAnswer && text !== "" ? await printOut(withLineEnd(text)) : 0;
    if (outcome.failure !== null) await printError(outcome.failure);
    const { exitCode } = ENDINGS[reason];
    return exitCode === 0 ? printed : exitCode;
  } finally {
    clearTimeout(timer);
  }
}

const withLineEnd = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);

const late = (runId: string): RunFailed =>
  new RunFailed(
    failure("timeout", `the run ${runId} has not ended yet; it goes on`, {
      remedy: `wait longer, or end it with: crush cancel ${runId}`,
    }),
  );
