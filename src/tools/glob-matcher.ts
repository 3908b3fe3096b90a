import picomatch from "picomatch";

/** Whether a path, relative and with `/`, is meant by a glob. Names with a leading dot are. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const relative = pattern.replace(/^(\.?\/)+/, "");
  return picomatch(relative, { dot: true });
}
