import { isUtf8 } from "node:buffer";
import { promises } from "node:fs";
import { basename, dirname, join } from "node:path";
import { RESULT_LIMIT_BYTES, shortLine } from "./bounded-text.ts";
import { defineTool } from "./define-tool.ts";
import { binaryKind, readRegularFile } from "./open-file.ts";
import { type GuardedPath, guardedPath, isGuarded, shownPath } from "./path-guard.ts";
import { inputShape, integer, optional, words } from "./tool-input.ts";
import { failed } from "./tool-result.ts";
import type { ToolResult } from "./tool.ts";

const DEFAULT_LINES = 2000;
const MAX_LINE_CHARACTERS = 2000;

export const viewTool = defineTool({
  name: "view",
  description: `Read a text file, lines numbered. Shows ${DEFAULT_LINES} lines from \`offset\` on; long lines are cut. Read a file before you edit it. For a directory use ls.`,
  readsOnly: true,
  input: inputShape({
    file_path: words("Path of the file, relative to the working directory"),
    offset: optional(integer("Number of the first line to show; 1 is the first", 0, 1e9)),
    limit: optional(integer("How many lines to show", 1, 1e9)),
  }),
  run: async ({ file_path, offset = 1, limit = DEFAULT_LINES }, context) => {
    const inside = await guardedPath(context, file_path);
    if (!isGuarded(inside)) return inside;
    const file = await readRegularFile(inside.path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return missing(context.cwd, inside);
    });
    if (typeof file === "string") return failed(`view: ${inside.shown} ${file}${hintFor(file)}`);
    const binary = binaryKind(file.bytes);
    if (binary !== null)
      return failed(
        `view: ${inside.shown} is ${binary} (${file.bytes.length} bytes), not text; use bash with a tool that reads it`,
      );
    context.files.record(inside.path, file.digest);
    return numbered(inside.shown, file.bytes, Math.max(1, offset), limit);
  },
});

function hintFor(refusal: string): string {
  if (refusal === "is a directory") return "; use ls";
  return refusal.startsWith("is too large") ? "; use grep, or bash with sed -n or tail" : "";
}

function numbered(shown: string, bytes: Buffer, offset: number, limit: number): ToolResult {
  const text = bytes.toString();
  const lines = (text.startsWith("\uFEFF") ? text.slice(1) : text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  const total = lines.length;
  const metadata = { path: shown, lines: total };
  const plain = { isError: false, metadata };
  if (total === 0) return { ...plain, content: `[${shown} is empty]`, truncated: false };
  if (offset > total) return failed(`view: ${shown} has only ${total} lines`, metadata);

  let content = "";
  let next = offset;
  let cutLines = 0;
  for (; next <= total && next < offset + limit; next += 1) {
    const line = (lines[next - 1] ?? "").replace(/\r$/, "");
    const short = shortLine(line, MAX_LINE_CHARACTERS);
    const row = `${String(next).padStart(6)}\t${short}\n`;
    // The notes below need room too.
    if (Buffer.byteLength(content) + Buffer.byteLength(row) > RESULT_LIMIT_BYTES - 512) break;
    if (short !== line) cutLines += 1;
    content += row;
  }
  const notes: string[] = [];
  if (next <= total)
    notes.push(`[lines ${offset} to ${next - 1} of ${total}; go on with offset ${next}]`);
  else if (offset > 1) notes.push(`[lines ${offset} to ${total} of ${total}]`);
  if (text.includes("\r\n")) notes.push("[line endings are CRLF; an edit keeps them]");
  if (!isUtf8(bytes)) notes.push("[not UTF-8: some characters are shown as \uFFFD]");
  return {
    ...plain,
    content: content + notes.join("\n"),
    truncated: next <= total || cutLines > 0,
  };
}

/** What to say about a file that is not there: names in its directory that look like it. */
async function missing(cwd: string, { path, shown }: GuardedPath): Promise<string> {
  const names = await promises.readdir(dirname(path)).catch(() => null);
  if (names === null) return `does not exist; neither does the directory ${dirname(shown)}`;
  const wanted = basename(path);
  const alike = names
    .map((name) => ({ name, distance: unlikeness(name.toLowerCase(), wanted.toLowerCase()) }))
    .filter(({ distance }) => distance < 1)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => shownPath(cwd, join(dirname(path), name)));
  return alike.length === 0
    ? "does not exist"
    : `does not exist; did you mean ${alike.join(" or ")}?`;
}

/** 0 for the same name, below 1 for a likely slip: part of one another, or most neighbouring letters shared. */
function unlikeness(name: string, wanted: string): number {
  if (name === wanted) return 0;
  const stem = wanted.replace(/\.[^.]*$/, "");
  if (stem.length > 2 && (name.includes(stem) || wanted.includes(name.replace(/\.[^.]*$/, ""))))
    return 0.25;
  const pairs = (word: string): Set<string> =>
    new Set(
      Array.from({ length: Math.max(0, word.length - 1) }, (_, at) => word.slice(at, at + 2)),
    );
  const [ours, theirs] = [pairs(name), pairs(wanted)];
  const shared = [...ours].filter((pair) => theirs.has(pair)).length;
  const share = (2 * shared) / Math.max(1, ours.size + theirs.size);
  return share >= 0.5 ? 1 - share : 1;
}
