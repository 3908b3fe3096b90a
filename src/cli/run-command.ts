import { randomUUID } from "node:crypto";
import { openWorkspace } from "../client/client.ts";
import { ENDINGS, RunFailed } from "../protocol/ending.ts";
import { failureOf } from "../protocol/failure-of.ts";
import { newRunId, type SessionId } from "../protocol/ids.ts";
import { RunAborted } from "../protocol/run-aborted.ts";
import { followRun, type RunEnd } from "../run/follow-run.ts";
import type { EmbeddedServer } from "../server/server.ts";
import { systemClock } from "../shared/clock.ts";
import { masked } from "../shared/masked.ts";
import { formatOf, openAnswer, type Answer, type OpenAnswer } from "./answer.ts";
import { openCiReport, type CiReport } from "./ci-report.ts";
import { printError } from "./error-line.ts";
import type { Flags } from "./flag-values.ts";
import { leaveSoon } from "./leave-soon.ts";
import { progressOf, showProgress, type Progress } from "./progress.ts";
import { dieOf, statusOfDeath, watchSignals } from "./signals.ts";
import { readPrompt, type Asked } from "./read-prompt.ts";
import { readRequest, type RunRequest } from "./run-request.ts";
import { inChosenSession } from "./session-choice.ts";
import { sessionTitle } from "./session-title.ts";
import { takeStdout, type Stdout } from "./stdout.ts";
import { startEmbedded } from "./wiring.ts";
import { watchBugs } from "./watch-bugs.ts";
import { worst, type Ending } from "./worse-ending.ts";

/** Never a socket: the name stands in the requests of the in-memory transport. */
const EMBEDDED = "http://crush.embedded";
const DEFAULT_KILL_AFTER_MS = 10_000;

/** `crush run`. Resolves with the exit status; a run that ended by a signal ends the process by it. */
export async function runCommand(words: readonly string[], flags: Flags): Promise<number> {
  if (flags.flag("print-schema") ?? false)
    return await (await import("./print-schema.ts")).printSchema(words, flags);
  const format = formatOf(flags);
  const cancel = new AbortController();
  const abort = (why: RunAborted): void => cancel.abort(why);
  using signals = watchSignals(() => abort(new RunAborted("signal")));
  using bugs = watchBugs(abort);
  using limit = deadline(cancel);
  const raw = format !== "text" || (flags.flag("raw") ?? false);
  const ci = await openCiReport(flags, process.env);
  const stdout = ci.watched(takeStdout({ raw }, abort));
  const statusOf = ({ reason }: Ending): number => {
    const signal = reason === "signal" ? signals.received() : null;
    return signal === null ? ENDINGS[reason].exitCode : statusOfDeath(signal);
  };
  const options = { format, cancel: cancel.signal, statusOf, report: ci };
  const answer = await openAnswer(stdout, options);
  const outputs = { stdout, answer, ci };
  const ended = await attempt(words, flags, outputs, limit, cancel.signal).catch(
    async (bug: unknown) => {
      const what = failureOf(bug);
      const end = { reason: what.reason, failure: what };
      await answer.end(end, ENDINGS[end.reason].exitCode);
      await ci.end(end, ENDINGS[end.reason].exitCode);
      ci.hush(); // its words are printed after this
      throw bug;
    },
  );
  const first = worst(worst(ended, stdout.failed()), bugs.found());
  const givenUp = await answer.end(first, statusOf(first));
  const end = worst(worst(first, givenUp), stdout.failed());
  ci.hush();
  if (end.failure !== null && end.reason !== "reader_left") await printError(end.failure);
  await ci.end(end, statusOf(end));
  const signal = end.reason === "signal" ? signals.received() : null;
  signals[Symbol.dispose]();
  if (signal !== null) dieOf(signal);
  else if (end.reason === "reader_left") dieOf("SIGPIPE");
  else if (stdout.isStuck()) leaveSoon(ENDINGS[end.reason].exitCode, 0);
  return ENDINGS[end.reason].exitCode;
}

async function attempt(
  words: readonly string[],
  flags: Flags,
  { stdout, answer, ci }: Omit<Outputs, "progress"> & { readonly answer: OpenAnswer },
  limit: Deadline,
  cancel: AbortSignal,
): Promise<Ending> {
  return await settled(async () => {
    using progress = showProgress(progressOf(flags));
    const request = await readRequest(flags);
    const { workspace, inputs, options } = request;
    const cwd = workspace.path;
    await answer.alsoTo(request.files);
    const said = words.join(" ").trim() === "" ? null : words.join(" ");
    answer.know({ cwd, words: said, killAfterMs: options.killAfterMs ?? DEFAULT_KILL_AFTER_MS });
    limit.start(options.timeoutMs ?? null);
    const asked = await readPrompt(words, inputs, cwd, progress, cancel);
    if (request.dryRun) {
      ci.hush();
      const { dryRun } = await import("./dry-run.ts");
      return await dryRun({ ...request, ...asked }, { answer, progress }, cancel);
    }
    const server = startEmbedded(process.env, (secrets) => {
      ci.tellSecrets(secrets);
      const mask = (text: string): string => masked(text, secrets);
      answer.know({ prompt: mask(asked.prompt), words: said && mask(said) });
    });
    try {
      return await run({ ...request, ...asked }, server, { stdout, answer, ci, progress }, cancel);
    } finally {
      await server.close();
    }
  });
}

interface Outputs {
  readonly stdout: Stdout;
  readonly answer: Answer;
  readonly ci: CiReport;
  readonly progress: Progress;
}

async function run(
  request: RunRequest & Asked,
  server: EmbeddedServer,
  { stdout, answer, progress }: Outputs,
  signal: AbortSignal,
): Promise<Ending> {
  const { workspace, options, choice, prompt, attachments } = request;
  const client = await openWorkspace(server.transport, EMBEDDED, randomUUID(), workspace, signal);
  const { configSources } = client;
  answer.know({ configSources, warnings: [...request.warnings, ...client.warnings] });
  for (const warning of client.warnings) progress.warn(warning);
  const runId = choice.runId ?? newRunId();
  const title = sessionTitle(prompt === "" ? (attachments[0]?.name ?? "") : prompt);
  const live = request.live ?? stdout.isTty;
  const follow = async (sessionId: SessionId): Promise<RunEnd> => {
    answer.know({ sessionId, runId });
    if (request.printIds)
      for (const line of [`session_id=${sessionId}`, `run_id=${runId}`]) progress.say(line);
    return await followRun({
      client,
      prompt: { sessionId, runId, prompt, attachments, options },
      mode: answer.mode ?? (live ? "live" : "final"),
      output: {
        print: async (text) => await answer.print(text, progress),
        tell: (event) => {
          progress.tell(event);
          return answer.tell(event, progress);
        },
        attached: () => progress.note(`run ${runId} is known: it is not executed again`),
      },
      clock: systemClock,
      killAfterMs: options.killAfterMs ?? DEFAULT_KILL_AFTER_MS,
      cancel: signal,
    });
  };
  const wanted = { ...choice, title };
  const end = await inChosenSession(wanted, client, signal, follow);
  answer.know({ record: end.record });
  // From here on the code that this run went through is worth keeping compiled (see loader.ts).
  const [model] = end.record?.outcome?.models ?? [];
  if (model !== undefined)
    Reflect.set(globalThis, Symbol.for("crush-run.cache-as"), `run ${model.split("/")[0] ?? ""}`);
  return end;
}

/** A failure or an abort on the way is an ending like any other; a bug is not. */
async function settled(work: () => Promise<Ending>): Promise<Ending> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RunFailed || error instanceof RunAborted)
      return { reason: error.failure.reason, failure: error.failure };
    throw error;
  }
}

interface Deadline extends Disposable {
  /** Null: none. */
  start(timeoutMs: number | null): void;
}

/** Our own watch over the time limit, should the server or the reader of the output miss it. */
function deadline(cancel: AbortController): Deadline {
  let timer: NodeJS.Timeout | undefined;
  return {
    start: (timeoutMs) => {
      if (timeoutMs === null) return;
      timer = setTimeout(() => cancel.abort(new RunAborted("timeout")), timeoutMs);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
