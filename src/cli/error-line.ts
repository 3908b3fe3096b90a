import type { RunFailure } from "../protocol/ending.ts";
import { controlFilter } from "./control-filter.ts";
import { remedyOf } from "../protocol/remedy.ts";

/** The one line that every ending but success has: `error: what (reason); remedy`. */
export function errorLine(what: RunFailure): string {
  return `error: ${oneLine(what.message)} (${what.reason}); ${oneLine(remedyOf(what))}\n`;
}

/** Writes it; the word is red on a terminal that wants colour. Bounded: standard error is not waited for. */
export async function printError(what: RunFailure): Promise<void> {
  const line = errorLine(what);
  if (!process.stderr.isTTY) {
    process.stderr.write(line);
    return;
  }
  const { chalkStderr } = await import("chalk");
  process.stderr.write(line.replace(/^error:/, chalkStderr.red("error:")));
}

/** What others wrote may stand in it: without what a terminal would obey. */
const oneLine = (text: string): string => controlFilter()(text.replace(/\s+/g, " ")).trim();
