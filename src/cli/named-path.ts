import { isAbsolute, resolve } from "node:path";
import { usage } from "./usage.ts";

/**
 * The place that a flag names, absolute: found from where the command was started, as the shell completes it, whatever `--cwd` says.
 * Throws `usage`.
 */
export function namedPath(flag: string, path: string): string {
  if (path === "") throw usage(`--${flag} is empty`, "give it the name of a file");
  if (path === "-")
    throw usage(
      `--${flag} takes a file, and - is none`,
      `leave --${flag} out: what is piped into crush run is read anyway`,
    );
  if (isAbsolute(path)) return path;
  try {
    return resolve(path);
  } catch {
    throw usage(`--${flag} names ${path}, and the current directory is gone`, "name it in full");
  }
}
