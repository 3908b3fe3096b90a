import type { Flags } from "./flag-values.ts";
import { namedPath } from "./named-path.ts";
import type { PromptInputs } from "./read-prompt.ts";

const DEFAULT_STDIN_WAIT_MS = 60_000;

/** What the flags say about the prompt; nothing is read yet. Throws `usage`. */
export function promptFlags(flags: Flags): PromptInputs {
  const promptFile = flags.text("prompt-file");
  return {
    stdin: flags.flag("stdin") ?? true,
    stdinWaitMs: flags.duration("stdin-wait") ?? DEFAULT_STDIN_WAIT_MS,
    promptFile: promptFile === null ? null : namedPath("prompt-file", promptFile),
    files: flags.texts("file").map((path) => namedPath("file", path)),
  };
}
