import type { RunEnd } from "../run/follow-run.ts";
import type { RunFacts } from "../run/result-document.ts";
import type { TextMode } from "../run/run-stream.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import type { RunAborted } from "../protocol/run-aborted.ts";
import { FORMATS, type Format } from "./format.ts";
import type { Flags } from "./flag-values.ts";
import type { Progress } from "./progress.ts";
import type { Stdout } from "./stdout.ts";

/** What a run writes to standard output, in one of the formats of `--output`. */
export interface Answer {
  /** What the run's text is wanted for; null: as the flags and the terminal say. */
  readonly mode: TextMode | null;
  know(facts: Partial<RunFacts & Bound>): void;
  print(text: string, progress: Progress): Promise<void>;
  tell(event: RunEvent, progress: Progress): Promise<void> | undefined;
  /** Everything has ended. Resolves when the last of it is written; with why, when it was given up. */
  end(end: Pick<RunEnd, "reason" | "failure">, exitCode: number): Promise<RunAborted | null>;
}

export interface Bound {
  /** After a cancel, a reader that does not read is waited for no longer. */
  readonly killAfterMs: number;
}

/** Throws `usage`. */
export const formatOf = (flags: Flags): Format => flags.choice("output", FORMATS) ?? "text";

/** `cancel` fires with a `RunAborted` when the run shall end. */
export async function openAnswer(
  format: Format,
  stdout: Stdout,
  cancel: AbortSignal,
): Promise<Answer> {
  if (format === "text") return textAnswer(stdout);
  return (await import("./json-answer.ts")).jsonAnswer(format, stdout, cancel);
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
