import { firstLine } from "./first-line.ts";
import { oneLine } from "./one-line.ts";

/** The first line of a prompt, which may be a stranger's. */
export const promptLine = (prompt: string, limit?: number): string =>
  oneLine(firstLine(prompt, limit));
