import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { failure, RunFailed } from "../protocol/ending.ts";

/** The real path of a working directory. Throws `RunFailed` when there is none. */
export function enterDirectory(cwd: string): string {
  try {
    const real = realpathSync(resolve(cwd));
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    throw new RunFailed(
      failure("usage", `the working directory ${cwd} cannot be entered`, {
        remedy: "name a directory that exists with --cwd",
      }),
      { cause: error },
    );
  }
  throw new RunFailed(
    failure("usage", `the working directory ${cwd} is not a directory`, {
      remedy: "name a directory with --cwd",
    }),
  );
}
