import { ENDINGS, type RunFailure } from "../protocol/ending.ts";
import type { RunAborted } from "../protocol/run-aborted.ts";
import { hear, NOTHING_HEARD } from "../run/heard.ts";
import { beginning, itemOf, jsonLine, lineOf, resultLine } from "../run/json-lines.ts";
import type { LineStamp, StreamItem } from "../run/json-lines.ts";
import { NO_FACTS, resultDocument } from "../run/result-document.ts";
import { monotonicMs } from "../shared/clock.ts";
import { deferred } from "../shared/deferred.ts";
import type { Answer, Bound } from "./answer.ts";
import { FORMATS, type Format } from "./format.ts";
import { dieOf } from "./signals.ts";
import { takeStdout, type Stdout } from "./stdout.ts";

type JsonFormat = Exclude<Format, "text">;

/** As long after the bound of a cancelled run as its end may take us to learn. */
const GRACE_MS = 1_000;
/** A reader that reads gets the result, however late the run ended. */
const AT_LEAST_MS = 250;

/** One document at the end, or a line for each event and the document as the last. */
export function jsonAnswer(
  format: JsonFormat,
  stdout: Pick<Stdout, "write" | "isTty">,
  cancel: AbortSignal,
): Answer {
  const isStream = format === "stream-json";
  let facts = NO_FACTS;
  let heard = NOTHING_HEARD;
  let seq = 0;
  let hasBegun = false;
  /** Lines leave one after the other. */
  let written: Promise<void> = Promise.resolve();
  const write = (line: string): Promise<void> => {
    written = written.then(async () => await stdout.write(line));
    return written;
  };
  const stamp = (): LineStamp => ({ seq: (seq += 1), at: Date.now() });
  const writeItem = async (item: StreamItem): Promise<void> =>
    await write(lineOf(item, facts, stamp()));
  /** With the model, if the server names it first; without, if there is other news before that. */
  const begin = (): void => {
    if (hasBegun || facts.runId === null) return;
    hasBegun = true;
    for (const item of beginning(facts, heard)) void writeItem(item);
  };
  let bound: Bound = { killAfterMs: 0 };
  let cancelledAt: number | null = null;
  cancel.addEventListener("abort", () => (cancelledAt = monotonicMs()), { once: true });
  const patienceMs = (): number => {
    const until = (cancelledAt ?? monotonicMs()) + bound.killAfterMs + GRACE_MS;
    return Math.max(until - monotonicMs(), AT_LEAST_MS);
  };
  return {
    mode: "final",
    know: ({ killAfterMs = bound.killAfterMs, ...more }) => {
      bound = { killAfterMs };
      facts = { ...facts, ...more };
    },
    print: async () => {}, // the text is in the events and in the record
    tell: (event, progress) => {
      heard = hear(heard, event, monotonicMs());
      if (!isStream) return undefined;
      if (stdout.isTty) progress.stopSpinner();
      begin();
      const item = itemOf(event);
      return item === null ? written : writeItem(item);
    },
    end: async ({ reason, failure }, exitCode) => {
      const ending = { reason, failure, exitCode, endedAfterMs: monotonicMs() };
      const result = resultDocument(facts, heard, ending);
      if (isStream) begin();
      const line = isStream ? resultLine(result, stamp()) : jsonLine(result);
      return await givenUp(write(line), cancel, patienceMs);
    },
  };
}

/** Waits for the last bytes: for ever while nobody wants the end, else as long as the patience lasts. */
async function givenUp(
  writing: Promise<void>,
  cancel: AbortSignal,
  patienceMs: () => number,
): Promise<RunAborted | null> {
  let timer: NodeJS.Timeout | undefined;
  const over = deferred<RunAborted>();
  const start = (): void => {
    timer = setTimeout(() => over.resolve(cancel.reason as RunAborted), patienceMs());
  };
  if (cancel.aborted) start();
  else cancel.addEventListener("abort", start, { once: true });
  try {
    return await Promise.race([writing.then(() => null), over.promise]);
  } finally {
    clearTimeout(timer);
    cancel.removeEventListener("abort", start);
  }
}

/** A command line that makes no sense, but says in which format that is to be told. */
export async function refuseAsAsked(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  what: RunFailure,
): Promise<void> {
  const format = askedFormat(argv, env);
  if (format === null || format === "text") return;
  const stdout = takeStdout({ raw: true }, () => {});
  const answer = jsonAnswer(format, stdout, new AbortController().signal);
  await answer.end({ reason: what.reason, failure: what }, ENDINGS[what.reason].exitCode);
  if (stdout.failed()?.reason === "reader_left") dieOf("SIGPIPE");
}

/** Of a line that the parser refused: null unless `--output` is said once, in a `run`, and understood. */
function askedFormat(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Format | null {
  const end = argv.indexOf("--");
  const words = end === -1 ? argv : argv.slice(0, end);
  if (!words.includes("run") && !words.includes("r")) return null;
  const said = words.flatMap((word, at) => {
    if (word === "--output") return [words[at + 1] ?? ""];
    return word.startsWith("--output=") ? [word.slice("--output=".length)] : [];
  });
  if (said.length > 1) return null;
  const asked = said[0] ?? env["CRUSH_RUN_OUTPUT"];
  return FORMATS.find((name) => name === asked) ?? null;
}
