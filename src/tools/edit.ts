import { defineTool } from "./define-tool.ts";
import { isText } from "./open-file.ts";
import { guardedPath, isGuarded } from "./path-guard.ts";
import { lookBefore, replaceFile } from "./replace-file.ts";
import { flag, inputShape, optional, text, words } from "./tool-input.ts";
import { failed, succeededWithin } from "./tool-result.ts";
import type { ToolResult } from "./tool.ts";

export const editTool = defineTool({
  name: "edit",
  description:
    "Replace a piece of a text file. `old_string` must stand in the file exactly once, character for character, without the line numbers of view; add lines around it until it does, or set replace_all. View the file first: an edit of a file that was not read, or has changed since, is refused. With an empty old_string a new file is created. Line endings and file mode are kept. Returns a diff.",
  readsOnly: false,
  input: inputShape({
    file_path: words("Path of the file, relative to the working directory"),
    old_string: text("The text to replace; empty to create a new file"),
    new_string: text("The text to put in its place"),
    replace_all: optional(flag("Replace every occurrence")),
  }),
  run: async ({ file_path, old_string, new_string, replace_all = false }, context) => {
    const inside = await guardedPath(context, file_path);
    if (!isGuarded(inside)) return inside;
    const { path, shown } = inside;
    const refuse = (why: string): ToolResult => failed(`edit: ${shown} ${why}`);
    const before = await lookBefore(path, context.files);
    if (before.type === "absent" && old_string !== "")
      return refuse("does not exist; to create it leave old_string empty");
    if (before.type !== "absent" && old_string === "")
      return refuse("exists already; give the text to replace as old_string, or use write");
    if (before.type === "refused") return refuse(before.why);

    const old = before.type === "file" ? before.file.bytes : Buffer.alloc(0);
    if (!isText(old)) return refuse("is not UTF-8 text; change it with bash");
    const edited =
      before.type === "file"
        ? applyEdit(old.toString(), { old: old_string, new: new_string, all: replace_all })
        : { text: new_string, count: 1 };
    if ("why" in edited) return refuse(edited.why);
    context.signal.throwIfAborted();
    if (!(await replaceFile(path, Buffer.from(edited.text), before, context.files)))
      return refuse("was changed by somebody else just now; view it again");

    const { unifiedDiff } = await import("./unified-diff.ts");
    const diff = unifiedDiff(shown, old.toString(), edited.text) ?? "[the diff is too large]";
    const many = edited.count === 1 ? "" : ` (${edited.count} places)`;
    const done = before.type === "absent" ? `created ${shown}` : `edited ${shown}${many}`;
    const metadata = { path: shown, replacements: edited.count };
    return succeededWithin(`${done}\n${diff}`, "view the file", metadata);
  },
});

interface Edit {
  readonly old: string;
  readonly new: string;
  readonly all: boolean;
}

/**
 * The text with `old` replaced, or why not, as the rest of a sentence about the file. In a file whose lines
 * all end in CRLF both strings are taken to mean CRLF, since a model sees and writes LF.
 */
export function applyEdit(
  content: string,
  edit: Edit,
): { readonly text: string; readonly count: number } | { readonly why: string } {
  if (edit.old === edit.new)
    return { why: "stays as it is: old_string and new_string are the same" };
  const crlf = content.includes("\r\n") && !/(^|[^\r])\n/.test(content);
  const meant = (written: string): string => (crlf ? written.replace(/\r?\n/g, "\r\n") : written);
  const [from, to] = [meant(edit.old), meant(edit.new)];
  const pieces = content.split(from);
  const count = pieces.length - 1;
  if (count === 0) return { why: "does not contain old_string; view the part you mean again" };
  if (count > 1 && !edit.all)
    return {
      why: `contains old_string ${count} times; add lines around it to make it unique, or set replace_all`,
    };
  return { text: pieces.join(to), count };
}
