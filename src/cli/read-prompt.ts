import type { Attachment } from "../protocol/attachment.ts";
import { isText } from "../protocol/attachment.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { Progress } from "./progress.ts";
import { readStdin } from "./stdin.ts";

/** What the flags say about the prompt. */
export interface PromptInputs {
  /** False after `--no-stdin`. */
  readonly stdin: boolean;
  /** Milliseconds. */
  readonly stdinWaitMs: number;
  /** Absolute, like those of `files`. */
  readonly promptFile: string | null;
  readonly files: readonly string[];
}

/** What the model is asked. */
export interface Asked {
  readonly prompt: string;
  readonly attachments: readonly Attachment[];
  /** What was told about it. */
  readonly warnings: readonly string[];
}

/**
 * Standard input, the prompt file, the words: those present, in this order, a blank line between them; and the attachments. Files are
 * read first: a mistake in their names is told without a wait. Rejects with `RunFailed` or `signal.reason`.
 */
export async function readPrompt(
  words: readonly string[],
  inputs: PromptInputs,
  cwd: string,
  progress: Pick<Progress, "note" | "warn">,
  signal: AbortSignal,
): Promise<Asked> {
  const { stdin, stdinWaitMs: waitMs, promptFile, files } = inputs;
  const attachments =
    files.length === 0 ? [] : (await import("./attach-files.ts")).attachFiles(files, cwd);
  const filed =
    promptFile === null
      ? ""
      : await (
          await import("./prompt-file.ts")
        ).readPromptFile(promptFile, { waitMs, note: progress.note }, signal);
  const warnings: string[] = [];
  const warn = (line: string): void => {
    warnings.push(line);
    progress.warn(line);
  };
  const piped = await readStdin({ wanted: stdin, waitMs, note: progress.note, warn }, signal);
  const prompt = [piped.trim() === "" ? "" : piped, filed, words.join(" ")]
    .filter((part) => part !== "")
    .join("\n\n");
  if (prompt.trim() !== "") return { prompt, attachments, warnings };
  if (attachments.some(isText)) return { prompt: "", attachments, warnings };
  throw noPrompt(attachments.length > 0);
}

const noPrompt = (attached: boolean): RunFailed =>
  new RunFailed(
    attached
      ? failure("no_prompt", "there is no prompt: an image or PDF alone asks nothing", {
          remedy: 'say what to do with it: crush run --file page.png "Describe this"',
        })
      : failure("no_prompt", "there is no prompt", { remedy: 'try: crush run "What is here?"' }),
  );
