import { promises } from "node:fs";
import { join } from "node:path";
import { defineTool } from "./define-tool.ts";
import { guardedPath, isGuarded } from "./path-guard.ts";
import { inputShape, optional, words } from "./tool-input.ts";
import { failed, succeeded, succeededWithin } from "./tool-result.ts";

const MAX_PATHS = 200;
/** A walk of a larger tree would take longer than the model should wait. */
const MAX_VISITED = 200_000;
/** Deeper than a sane tree goes; links are not followed, so there is no circle. */
const MAX_DEPTH = 100;

export const globTool = defineTool({
  name: "glob",
  description: `Find files by name, newest first: **/*.ts, src/*.{js,ts}. Leaves out what .gitignore names. At most ${MAX_PATHS} paths.`,
  readsOnly: true,
  input: inputShape({
    pattern: words("The glob; * does not cross a /, ** does"),
    path: optional(words("Directory to search in; default is the working directory")),
  }),
  run: async ({ pattern, path = "." }, context) => {
    const inside = await guardedPath(context, path);
    if (!isGuarded(inside)) return inside;
    if (!(await promises.stat(inside.path)).isDirectory())
      return failed(`glob: ${inside.shown} is not a directory`);

    const { walk } = await import("./walk.ts");
    const { globMatcher } = await import("./glob-matcher.ts");
    const matches = globMatcher(pattern);
    const found: string[] = [];
    let visited = 0;
    const { signal } = context;
    for await (const entry of walk({
      root: inside.path,
      maxDepth: MAX_DEPTH,
      ignore: [],
      signal,
    })) {
      visited += 1;
      if (visited > MAX_VISITED) break;
      if (entry.kind === "directory" || !matches(entry.path)) continue;
      if (context.hides?.(join(inside.path, entry.path)) !== true) found.push(entry.path);
    }
    const newest = await newestFirst(inside.path, found);
    const paths = newest
      .slice(0, MAX_PATHS)
      .map((name) => (inside.shown === "." ? name : `${inside.shown}/${name}`));
    const notes: string[] = [];
    if (found.length > MAX_PATHS)
      notes.push(`[the newest ${MAX_PATHS} of ${found.length}; narrow the pattern or give a path]`);
    if (visited > MAX_VISITED)
      notes.push(`[stopped after ${MAX_VISITED} entries; give a path to search in]`);
    const metadata = { pattern, matches: found.length };
    if (found.length === 0) return succeeded(["no file matches", ...notes].join("\n"), metadata);
    const result = succeededWithin([...paths, ...notes].join("\n"), "narrow the pattern", metadata);
    return { ...result, truncated: result.truncated || notes.length > 0 };
  },
});

async function newestFirst(root: string, names: readonly string[]): Promise<string[]> {
  const dated: { name: string; time: number }[] = [];
  // In batches: a stat per file at once would fill the thread pool's queue.
  for (let at = 0; at < names.length; at += 64) {
    const batch = names.slice(at, at + 64).map(async (name) => ({
      name,
      time: await promises.stat(join(root, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0, // a link to nowhere, or gone meanwhile
      ),
    }));
    dated.push(...(await Promise.all(batch)));
  }
  return dated
    .sort((a, b) => b.time - a.time || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}
