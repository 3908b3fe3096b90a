import { defineTool } from "./define-tool.ts";
import { isText } from "./open-file.ts";
import { guardedPath, isGuarded } from "./path-guard.ts";
import { lookBefore, replaceFile } from "./replace-file.ts";
import { inputShape, text, words } from "./tool-input.ts";
import { failed, succeeded, succeededWithin } from "./tool-result.ts";

export const writeTool = defineTool({
  name: "write",
  description:
    "Write a whole file; missing directories are made. An existing file must have been viewed before, and is replaced in one step. For a small change use edit. Returns a diff when there was a file before.",
  readsOnly: false,
  input: inputShape({
    file_path: words("Path of the file, relative to the working directory"),
    content: text("The whole content"),
  }),
  run: async ({ file_path, content }, context) => {
    const inside = await guardedPath(context, file_path);
    if (!isGuarded(inside)) return inside;
    const { path, shown } = inside;
    const before = await lookBefore(path, context.files);
    if (before.type === "refused") return failed(`write: ${shown} ${before.why}`);

    const bytes = Buffer.from(content);
    const metadata = { path: shown, bytes: bytes.length };
    if (before.type === "file" && before.file.bytes.equals(bytes))
      return succeeded(`${shown} holds exactly this already; nothing was written`, metadata);
    context.signal.throwIfAborted();
    if (!(await replaceFile(path, bytes, before, context.files)))
      return failed(`write: ${shown} was changed by somebody else just now; view it again`);

    if (before.type === "absent")
      return succeeded(`created ${shown} (${sizeOf(content)})`, metadata);
    const done = `replaced ${shown} (${sizeOf(content)})`;
    if (!isText(before.file.bytes)) return succeeded(done, metadata);
    const { unifiedDiff } = await import("./unified-diff.ts");
    const diff = unifiedDiff(shown, before.file.bytes.toString(), content);
    return succeededWithin(
      `${done}\n${diff ?? "[the diff is too large]"}`,
      "view the file",
      metadata,
    );
  },
});

function sizeOf(content: string): string {
  const lines = content.split("\n").length - (content.endsWith("\n") || content === "" ? 1 : 0);
  return `${lines} ${lines === 1 ? "line" : "lines"}, ${Buffer.byteLength(content)} bytes`;
}
