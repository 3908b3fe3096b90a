import { childScope } from "../shared/scope.ts";
import { RESULT_LIMIT_BYTES } from "./bounded-text.ts";
import { defineTool } from "./define-tool.ts";
import type { Page } from "./get-page.ts";
import { binaryKind } from "./open-file.ts";
import { choice, inputShape, integer, optional, words } from "./tool-input.ts";
import { bounded, failed, succeededWithin } from "./tool-result.ts";
import type { ToolResult } from "./tool.ts";

const DEFAULT_TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 120;
const MAX_PAGE_BYTES = 5 * 1024 * 1024;

const FORMATS = ["markdown", "text", "html"] as const;
type Format = (typeof FORMATS)[number];

export const fetchTool = defineTool({
  name: "fetch",
  description: `Get a page over http or https and return it as Markdown (default), plain text, or as it came (html). No cookies, no login, no JavaScript. Time limit ${DEFAULT_TIMEOUT_S} s unless \`timeout\` says otherwise.`,
  readsOnly: true,
  input: inputShape({
    url: words("The whole address, with http:// or https://"),
    format: optional(choice(FORMATS, "How an HTML page is returned")),
    timeout: optional(integer("Time limit in seconds", 1, MAX_TIMEOUT_S)),
  }),
  run: async ({ url, format = "markdown", timeout = DEFAULT_TIMEOUT_S }, context) => {
    const { getPage, httpUrl, NoPage, Refused } = await import("./get-page.ts");
    using scope = childScope(context.signal);
    const late = new NoPage(`no answer within ${timeout} s`);
    const timer = setTimeout(() => scope.abort(late), timeout * 1000);
    try {
      const page = await getPage(httpUrl(url), {
        env: context.env,
        maxBytes: MAX_PAGE_BYTES,
        permit: async (hop) => await context.permit({ kind: "url", url: hop }),
        signal: scope.signal,
      });
      context.onProgress(page.bytes.length);
      return await resultOf(page, format);
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof Refused) return error.result;
      if (error instanceof NoPage) return failed(`fetch: ${error.message}`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  },
});

async function resultOf(page: Page, format: Format): Promise<ToolResult> {
  const metadata = { url: page.url, status: page.status, bytes: page.bytes.length };
  const charset = charsetOf(page);
  const binary = charset.startsWith("utf-16") ? null : binaryKind(page.bytes);
  const status = `${page.status} ${page.statusText}`.trim();
  const isError = page.status < 200 || page.status > 299;
  if (binary !== null) {
    const what = `${page.url} is ${binary} (${page.contentType}, ${page.bytes.length} bytes), not text`;
    return failed(
      `fetch: ${isError ? `${status}: ` : ""}${what}; save it with bash and curl`,
      metadata,
    );
  }
  const body = decode(page.bytes, charset);
  const isHtml = /html/.test(page.contentType) || /^\s*<(!doctype html|html)\b/i.test(body);
  const text = isHtml && format !== "html" ? await readable(body, format === "text") : body;
  const notes = page.cut ? [`[only the first ${MAX_PAGE_BYTES} bytes were read]`] : [];
  const rest = "save the page with bash and curl, then view it";
  if (isError) {
    const said = bounded(`fetch: ${page.url} answered ${status}\n${text}`, rest);
    return { ...said, isError, metadata };
  }
  const content = [...notes, text === "" ? "[the page has no text]" : text].join("\n");
  const result = succeededWithin(content, rest, metadata);
  return { ...result, truncated: result.truncated || page.cut };
}

async function readable(html: string, plain: boolean): Promise<string> {
  const { htmlToMarkdown } = await import("./html-markdown.ts");
  return htmlToMarkdown(html, { plain, enough: RESULT_LIMIT_BYTES });
}

function charsetOf({ contentType, bytes }: Page): string {
  const [, named] = /charset\s*=\s*"?([\w.:-]+)/.exec(contentType) ?? [];
  if (named !== undefined) return named;
  const beginning = bytes.subarray(0, 1024).toString("latin1");
  const [, meta] = /<meta[^<>]{1,200}charset\s*=\s*["']?([\w.:-]+)/i.exec(beginning) ?? [];
  return (meta ?? "utf-8").toLowerCase();
}

function decode(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString(); // a character set that nobody knows
  }
}
