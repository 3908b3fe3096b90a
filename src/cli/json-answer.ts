import { ENDINGS, type RunFailure } from "../protocol/ending.ts";
import { hear, NOTHING_HEARD } from "../run/heard.ts";
import { beginning, itemOf, jsonLine, lineOf, resultLine } from "../run/json-lines.ts";
import type { LineStamp, StreamItem } from "../run/json-lines.ts";
import { NO_FACTS, resultDocument } from "../run/result-document.ts";
import { monotonicMs } from "../shared/clock.ts";
import type { Answer, Bound } from "./answer.ts";
import { FORMATS, type Format } from "./format.ts";
import { patience } from "./patience.ts";
import { dieOf } from "./signals.ts";
import { takeStdout, type Stdout } from "./stdout.ts";

type JsonFormat = Exclude<Format, "text">;

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
  const wait = patience(cancel, () => bound.killAfterMs);
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
      const tried = reason === "end_turn" ? facts.tried : null;
      const result = tried ?? resultDocument(facts, heard, ending);
      if (isStream) begin();
      const line = isStream ? resultLine(result, stamp()) : jsonLine(result);
      return await wait(write(line));
    },
  };
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
