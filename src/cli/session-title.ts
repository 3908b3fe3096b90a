import { firstLine } from "./first-line.ts";
import { oneLine } from "./one-line.ts";

/** What a new session is called until somebody renames it: the beginning of its first prompt. No model is asked. */
export function sessionTitle(prompt: string): string {
  const [line = ""] = prompt.trimStart().slice(0, 1_000).split("\n", 1);
  return firstLine(oneLine(line), 60) || "non-interactive";
}
