import type { Flags } from "./flag-values.ts";
import { namedPath } from "./named-path.ts";
import type { PromptInputs } from "./read-prompt.ts";
import { usage } from "./usage.ts";

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

/** What only a real run has. */
const OF_A_RUN = ["output-file", "events", "junit", "print-ids"] as const;

/** Throws `usage` for what makes no sense with it. */
export function dryRunFlag(flags: Flags): boolean {
  const dryRun = flags.flag("dry-run") ?? false;
  if (!dryRun) return false;
  const given = OF_A_RUN.find((name) =>
    name === "print-ids"
      ? flags.isGiven(name) && flags.flag(name) === true
      : flags.text(name) !== null,
  );
  if (given !== undefined)
    throw usage(
      `--dry-run and --${given} exclude each other: there is no run`,
      `leave --${given} out`,
    );
  if (flags.text("output") === "stream-json")
    throw usage(
      `--dry-run has no events to stream, and ${flags.named("output")} asks for them`,
      "use --output json, or text",
    );
  return true;
}
