import type { RunFailure } from "../protocol/ending.ts";
import { wantsColour } from "./colour.ts";
import { remedyOf } from "../protocol/remedy.ts";
import { oneLine } from "./one-line.ts";

/** The one line that every ending but success has: `error: what (reason); remedy`. */
export function errorLine(what: RunFailure): string {
  return `error: ${oneLine(what.message)} (${what.reason}); ${oneLine(remedyOf(what))}\n`;
}

/** For a reader that takes it late: afterwards the process may die of a signal, and nothing more leaves it. */
const TAKEN_MS = 500;

/** Writes it; the word is red where colour is wanted. */
export async function printError(what: RunFailure): Promise<void> {
  const line = errorLine(what);
  if (!wantsColour(process.stderr, process.env)) {
    await writeNews(line);
    return;
  }
  const { Chalk } = await import("chalk");
  await writeNews(line.replace(/^error:/, new Chalk({ level: 1 }).red("error:")));
}

/** To standard error, until it is taken. Bounded: a reader that does not read is not waited for. */
export async function writeNews(line: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, TAKEN_MS);
    process.stderr.write(line, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
