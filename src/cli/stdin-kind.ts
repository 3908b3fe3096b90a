import { fstatSync } from "node:fs";
import { isatty } from "node:tty";

export type StdinKind = "closed" | "terminal" | "file" | "pipe" | "socket" | "device";

/** What standard input is, without reading it. */
export function stdinKind(): StdinKind {
  try {
    if (isatty(0)) return "terminal";
    const stats = fstatSync(0);
    if (stats.isFile()) return "file";
    if (stats.isFIFO()) return "pipe";
    return stats.isSocket() ? "socket" : "device";
  } catch {
    return "closed";
  }
}
