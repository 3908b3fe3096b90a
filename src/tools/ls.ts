import { promises } from "node:fs";
import { join } from "node:path";
import { defineTool } from "./define-tool.ts";
import { guardedPath, isGuarded } from "./path-guard.ts";
import { inputShape, integer, optional, texts, words } from "./tool-input.ts";
import { failed, succeeded, succeededWithin } from "./tool-result.ts";
import type { Entry } from "./walk.ts";

const MAX_ENTRIES = 1000;
const MAX_DEPTH = 20;

export const lsTool = defineTool({
  name: "ls",
  description: `Show a directory as a tree: directories end in /. Leaves out what .gitignore names, and .git. At most ${MAX_ENTRIES} entries, those nearest the top first.`,
  readsOnly: true,
  input: inputShape({
    path: optional(words("The directory; default is the working directory")),
    ignore: optional(texts("More to leave out, as patterns of .gitignore")),
    depth: optional(integer("How many levels to show", 1, MAX_DEPTH)),
  }),
  run: async ({ path = ".", ignore = [], depth = MAX_DEPTH }, context) => {
    const inside = await guardedPath(context, path);
    if (!isGuarded(inside)) return inside;
    const found = await promises.stat(inside.path);
    if (!found.isDirectory()) return failed(`ls: ${inside.shown} is not a directory; use view`);

    const { walk } = await import("./walk.ts");
    const entries: Entry[] = [];
    let more = false;
    const { signal } = context;
    for await (const entry of walk({ root: inside.path, maxDepth: depth, ignore, signal })) {
      if (context.hides?.(join(inside.path, entry.path)) === true) continue;
      more = entries.length === MAX_ENTRIES;
      if (more) break;
      entries.push(entry);
    }
    const metadata = { path: inside.shown, entries: entries.length };
    const title = inside.shown === "." ? "./" : `${inside.shown}/`;
    if (entries.length === 0) return succeeded(`${title}\n[empty]`, metadata);
    const note = more
      ? `\n[only the first ${MAX_ENTRIES} entries; ls a directory in it, or set depth]`
      : "";
    const tree = `${title}\n${treeOf(entries)}${note}`;
    const result = succeededWithin(tree, "ls a directory in it, or set depth", metadata);
    return { ...result, truncated: result.truncated || more };
  },
});

/** Two blanks per level, each directory followed by what is in it. */
function treeOf(entries: readonly Entry[]): string {
  const children = new Map<string, Entry[]>();
  for (const entry of entries) {
    const parent = entry.path.includes("/") ? entry.path.slice(0, entry.path.lastIndexOf("/")) : "";
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [entry]);
    else siblings.push(entry);
  }
  const lines: string[] = [];
  const show = (parent: string): void => {
    for (const entry of children.get(parent) ?? []) {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
      lines.push(`${"  ".repeat(entry.depth)}${name}${MARKS[entry.kind]}`);
      if (entry.kind === "directory") show(entry.path);
    }
  };
  show("");
  return lines.join("\n");
}

const MARKS = { file: "", directory: "/", link: "@", other: "=" } as const;
