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

/**
 * A glob, relative to the working directory unless it begins with `/` or `~/`; `src/` is `src/**`. Links in front of its first `*` are
 * followed. One that forbids a directory by its name forbids what is in it too.
 */
export async function pathPattern(written: string, cwd: string): Promise<PathPattern> {
  const expanded = written.startsWith("~/") ? join(homedir(), written.slice(2)) : written;
  const whole = expanded.replace(/\/+$/, "/**");
  const { base, glob } = picomatch.scan(whole, OPTIONS);
  const hasGlob = glob !== "";
  const start = resolve(cwd, hasGlob ? base : whole);
  const real = (await realPathOf(start)) ?? start;
  const matches = (from: string, fold: (path: string) => string, isDeep: boolean): Is => {
    if (!hasGlob)
      return (path) =>
        isDeep ? below(fold(from), fold(path)) !== null : fold(path) === fold(from);
    const fits = picomatch(fold(isDeep && isNamed(glob) ? `${glob}/**` : glob), OPTIONS);
    return (path) => {
      const rest = below(fold(from), fold(path));
      return rest !== null && (rest === "" ? glob === "**" : fits(rest));
    };
  };
  const allows = matches(real, (path) => path, false);
  const forbidden = [matches(real, folded, true), matches(start, folded, true)];
  return {
    reachesOut: below(cwd, real) === null,
    forbids: (path) => forbidden.some((is) => is(path.real) || is(path.written)),
    allows: (path) => allows(path.real),
  };
}

type Is = (path: string) => boolean;

/** Whether what it means is called by its very name. */
const isNamed = (glob: string): boolean => /(^|\/)[^*?[\]{}()!+@/]+$/.test(glob);

/** Some file systems take `.ENV` for `.env`. */
const folded = (path: string): string =>
  process.platform === "darwin" || process.platform === "win32" ? path.toLowerCase() : path;
