import { homedir } from "node:os";
import { join, resolve } from "node:path";
import picomatch from "picomatch";
import { below, realPathOf } from "../real-path.ts";
import type { JudgedPath } from "./call.ts";

export interface PathPattern {
  /** It says nothing about files inside the working directory, or not only. */
  readonly reachesOut: boolean;
  readonly forbids: (path: JudgedPath) => boolean;
  readonly allows: (path: JudgedPath) => boolean;
}

const OPTIONS = { dot: true, nonegate: true, windows: false } as const;

/** A glob, relative to the working directory unless it begins with `/` or `~/`. Links in front of its first `*` are followed. */
export async function pathPattern(written: string, cwd: string): Promise<PathPattern> {
  const expanded = written.startsWith("~/") ? join(homedir(), written.slice(2)) : written;
  const { base, glob } = picomatch.scan(expanded, OPTIONS);
  const hasGlob = glob !== "";
  const start = resolve(cwd, hasGlob ? base : expanded);
  const real = (await realPathOf(start)) ?? start;
  const matches = (from: string, fold: (path: string) => string): ((path: string) => boolean) => {
    if (!hasGlob) return (path) => fold(path) === fold(from);
    const fits = picomatch(fold(glob), OPTIONS);
    return (path) => {
      const rest = below(fold(from), fold(path));
      return rest !== null && (rest === "" ? glob === "**" : fits(rest));
    };
  };
  const allows = matches(real, (path) => path);
  const forbidden = [matches(real, folded), matches(start, folded)];
  return {
    reachesOut: below(cwd, real) === null,
    forbids: (path) => forbidden.some((is) => is(path.real) || is(path.written)),
    allows: (path) => allows(path.real),
  };
}

/** Some file systems take `.ENV` for `.env`. */
const folded = (path: string): string =>
  process.platform === "darwin" || process.platform === "win32" ? path.toLowerCase() : path;
