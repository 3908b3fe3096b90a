import { promises } from "node:fs";
import { RESULT_LIMIT_BYTES, shortLine } from "./bounded-text.ts";
import { defineTool } from "./define-tool.ts";
import { guardedPath, isGuarded, shownPath } from "./path-guard.ts";
import { flag, inputShape, optional, words } from "./tool-input.ts";
import { failed, succeeded, succeededWithin } from "./tool-result.ts";
import type { ToolContext, ToolResult } from "./tool.ts";

const MAX_MATCHES = 200;
const MAX_LINE_CHARACTERS = 400;
const TIME_LIMIT_MS = 60_000;
/** What is read of the search program's output: enough for the matches of one result, however long the lines. */
const ENOUGH_BYTES = 1024 * 1024;

const FLAGS = [
  "--no-config",
  "--color=never",
  "--no-heading",
  "--with-filename",
  "--line-number",
  "--null", // after the path: a name may hold colons and digits
  "--sort=path",
  "--hidden",
  "--no-require-git", // a .gitignore counts before the first `git init`, too
  "--glob=!.git",
  "--glob=!.crush",
  "--max-columns=4096",
  "--max-columns-preview",
  "--max-count=1000",
] as const;

export const grepTool = defineTool({
  name: "grep",
  description: `Search file contents for a regular expression (Rust syntax; (?i) in front ignores case). Returns path:line: text. Leaves out what .gitignore names, and binary files. At most ${MAX_MATCHES} matching lines.`,
  readsOnly: true,
  input: inputShape({
    pattern: words("The regular expression"),
    path: optional(words("File or directory to search; default is the working directory")),
    include: optional(words("Only files that match this glob, such as *.ts or src/**/*.{js,ts}")),
    literal: optional(flag("Take the pattern as plain text")),
  }),
  run: async ({ pattern, path = ".", include, literal = false }, context) => {
    if (`${pattern}${include ?? ""}`.includes("\0"))
      return failed("grep: the input contains a NUL character");
    const inside = await guardedPath(context, path);
    if (!isGuarded(inside)) return inside;
    const target = await promises.stat(inside.path);
    if (!target.isDirectory() && !target.isFile())
      return failed(`grep: ${inside.shown} is a device, pipe or socket`);

    const { runInGroup } = await import("./process-group.ts");
    const { ripgrepPath } = await import("./ripgrep-path.ts");
    const end = await runInGroup({
      file: ripgrepPath(),
      args: searchArguments(pattern, inside.path, { include, literal }),
      cwd: context.cwd,
      env: context.env,
      timeLimitMs: TIME_LIMIT_MS,
      keepHead: ENOUGH_BYTES,
      keepTail: 0,
      enoughBytes: ENOUGH_BYTES,
      onProgress: context.onProgress,
      signal: context.signal,
    });
    if (end.type === "not_started") return failed(`grep: cannot start ripgrep: ${end.message}`);
    const said = end.stderr.text(() => "…").text.trim();
    const rows = rowsOf(end.stdout.text(() => "").text, context);
    // 0: matches, 1: none, 2: an error, perhaps only about a file that could not be read.
    if (end.exitCode === 2 && rows.length === 0) return failed(`grep: ${said}`);
    const notes = said === "" ? [] : [`[not everything was searched: ${shortLine(said, 500)}]`];
    if (end.stopped === "time_limit")
      notes.push(`[stopped after ${TIME_LIMIT_MS / 1000} s; narrow the search]`);
    return resultOf(rows, { notes, cut: end.stopped !== null });
  },
});

function searchArguments(
  pattern: string,
  path: string,
  { include, literal }: { include: string | undefined; literal: boolean },
): string[] {
  return [
    ...FLAGS,
    ...(literal ? ["--fixed-strings"] : []),
    ...includeArguments(include),
    `--regexp=${pattern}`,
    "--",
    path,
  ];
}

/** A glob of ripgrep overrules .gitignore, a type does not; but a type knows only names, not paths. */
function includeArguments(include: string | undefined): string[] {
  if (include === undefined) return [];
  if (/[/!]/.test(include)) return [`--glob=${include}`];
  return ["--type-add", `asked:${include}`, "--type=asked"];
}

/** `path:line: text` for each match; what has no NUL is not one (a note on a binary file). */
function rowsOf(output: string, { cwd, hides }: Pick<ToolContext, "cwd" | "hides">): string[] {
  return output.split("\n").flatMap((line) => {
    const nul = line.indexOf("\0");
    if (nul === -1 || hides?.(line.slice(0, nul)) === true) return [];
    const [, number = "", text = ""] = /^(\d+):(.*)$/s.exec(line.slice(nul + 1)) ?? [];
    if (number === "") return [];
    const shown = shortLine(text.replace(/\r$/, ""), MAX_LINE_CHARACTERS);
    return [`${shownPath(cwd, line.slice(0, nul))}:${number}: ${shown}`];
  });
}

function resultOf(
  rows: readonly string[],
  { notes, cut }: { notes: readonly string[]; cut: boolean },
): ToolResult {
  const metadata = { matches: rows.length };
  if (rows.length === 0) return succeeded(["no match", ...notes].join("\n"), metadata);
  const shown = rows.slice(0, MAX_MATCHES);
  // Whole rows only, with room for the notes.
  while (Buffer.byteLength(shown.join("\n")) > RESULT_LIMIT_BYTES - 1024) shown.pop();
  const more = cut || shown.length < rows.length;
  const count = cut ? `more than ${shown.length}` : `${rows.length}`;
  const note = `[the first ${shown.length} of ${count} matching lines; narrow the pattern, path or include]`;
  const lines = [...shown, ...(more ? [note] : []), ...notes];
  return { ...succeededWithin(lines.join("\n"), "narrow the search", metadata), truncated: more };
}
