import { isText } from "../protocol/attachment.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { StoredPrompt } from "../store/runs.ts";

/**
 * What a prompt must have, the same at its acceptance and at its run. White space is a text, and so is an attached one (behaviour.md
 * ACC-15). Throws `RunFailed`: `no_prompt`, then `usage`.
 */
export function checkPrompt({
  kind,
  prompt,
  attachments,
  sessionId,
}: Pick<StoredPrompt, "kind" | "prompt" | "attachments" | "sessionId">): void {
  if (kind === "prompt" && prompt === "" && !attachments.some(isText))
    throw new RunFailed(failure("no_prompt", "prompt is empty", { remedy: "send a prompt" }));
  if (sessionId === "") throw new RunFailed(failure("usage", "session id is missing"));
}
