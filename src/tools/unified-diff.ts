import { createTwoFilesPatch } from "diff";

/** A minimal diff of two large, very different texts may take minutes: give up before that. */
const MAX_DIFF_MS = 500;

/** What changed, as `diff -u` says it; null when the texts are too different to tell soon. */
export function unifiedDiff(path: string, before: string, after: string): string | null {
  const patch = createTwoFilesPatch(`a/${path}`, `b/${path}`, before, after, undefined, undefined, {
    context: 3,
    timeout: MAX_DIFF_MS,
  });
  // Without the `Index:` and `====` lines above the names of the files.
  return patch === undefined ? null : patch.slice(patch.indexOf("--- "));
}
