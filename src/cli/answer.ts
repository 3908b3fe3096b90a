import type { RunFacts } from "../run/result-document.ts";
import type { TextMode } from "../run/run-stream.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import type { RunAborted } from "../protocol/run-aborted.ts";
import { reportedTo, type CiReport } from "./ci-report.ts";
import type { WantedRecord } from "./filed-answer.ts";
import { FORMATS, type Format } from "./format.ts";
import type { Flags } from "./flag-values.ts";
import type { Progress } from "./progress.ts";
import type { Stdout } from "./stdout.ts";
import type { Ending } from "./worse-ending.ts";

/** What a run writes to standard output, in one of the formats of `--output`. */
export interface Answer {
  /** What the run's text is wanted for; null: as the flags and the terminal say. */
  readonly mode: TextMode | null;
  know(facts: Partial<RunFacts & Bound>): void;
  print(text: string, progress: Progress): Promise<void>;
  tell(event: RunEvent, progress: Progress): Promise<void> | undefined;
  /** Everything has ended. Resolves when the last of it is written; with why, when it was given up. */
  end(end: Ending, exitCode: number): Promise<RunAborted | null>;
}

export interface Bound {
  /** After a cancel, a reader that does not read is waited for no longer. */
  readonly killAfterMs: number;
}

/** Throws `usage`. */
export const formatOf = (flags: Flags): Format => flags.choice("output", FORMATS) ?? "text";

/** An answer that may get files beside it before anything is known of the run. */
export interface OpenAnswer extends Answer {
  /** Opens these too. Rejects with `usage` for one that cannot be written. */
  alsoTo(files: readonly WantedRecord[]): Promise<void>;
}

export interface AnswerOptions {
  readonly format: Format;
  /** Fires with a `RunAborted` when the run shall end. */
  readonly cancel: AbortSignal;
  /** What the process ends with. */
  readonly statusOf: (end: Ending) => number;
  /** Is told what standard output is told. */
  readonly report: CiReport;
}

export async function openAnswer(stdout: Stdout, options: AnswerOptions): Promise<OpenAnswer> {
  const { format, cancel, report } = options;
  let answer = reportedTo(
    report,
    format === "text"
      ? textAnswer(stdout)
      : (await import("./json-answer.ts")).jsonAnswer(format, stdout, cancel),
  );
  return {
    mode: answer.mode,
    know: (facts) => answer.know(facts),
    print: async (text, progress) => await answer.print(text, progress),
    tell: (event, progress) => answer.tell(event, progress),
    end: async (end, exitCode) => await answer.end(end, exitCode),
    alsoTo: async (files) => {
      if (files.length === 0) return;
      const { filedAnswer } = await import("./filed-answer.ts");
      answer = await filedAnswer(answer, files, options);
    },
  };
}

const textAnswer = (stdout: Stdout): Answer => ({
  mode: null,
  know: () => {},
  print: async (text, progress) => {
    if (stdout.isTty) progress.stopSpinner();
    await stdout.write(text);
    if (stdout.isTty) progress.textShown(text);
  },
  tell: () => undefined,
  end: async () => null,
});
