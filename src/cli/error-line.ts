import type { RunFailure } from "../protocol/ending.ts";

/** The one line that every ending but success has: `error: what (reason); remedy`. */
export function errorLine(what: RunFailure): string {
  const remedy = what.remedy === null ? "" : `; ${oneLine(what.remedy)}`;
  return `error: ${oneLine(what.message)} (${what.reason})${remedy}\n`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();
