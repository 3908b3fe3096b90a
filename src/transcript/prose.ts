import { escaped } from "./escape.ts";

/** What a model or a person wrote, as HTML: fenced code, `code` and **strong** are shown as such, all else as it was typed. */
export function prose(text: string): string {
  const blocks: string[] = [];
  let lines: string[] = [];
  let fence: string | null = null;
  const close = (): void => {
    const block = lines.join("\n");
    lines = [];
    if (fence !== null) blocks.push(`<pre class="code">${escaped(block)}</pre>`);
    else if (block.trim() !== "")
      blocks.push(
        `<div class="text" dir="auto">${inline(block.replace(/^\s*\n|\s+$/g, ""))}</div>`,
      );
  };
  for (const line of text.split("\n")) {
    const ticks = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? null;
    if (fence === null && ticks !== null) {
      close();
      fence = ticks;
    } else if (fence !== null && ticks?.startsWith(fence) === true && line.trim() === ticks) {
      close();
      fence = null;
    } else lines.push(line);
  }
  close();
  return blocks.join("\n");
}

const inline = (text: string): string =>
  escaped(text).replace(
    /`([^`\n]+)`|\*\*([^*\n]+)\*\*/g,
    (_, code: string | undefined, strong: string | undefined) =>
      code === undefined ? `<strong>${strong ?? ""}</strong>` : `<code>${code}</code>`,
  );
