import { runInNewContext } from "node:vm";
import { NodeHtmlMarkdown } from "node-html-markdown";
import { monotonicMs } from "../shared/clock.ts";

/**
 * The converter takes quadratic time on large pages (0.1 s for 128 KiB, 10 s for 512), and a hostile page of
 * nested tables keeps it busy for ever: pages are converted piece by piece, each within a time limit.
 */
const PIECE_CHARACTERS = 96 * 1024;

interface TimeLimits {
  readonly pieceMs: number;
  /** Nothing else runs meanwhile: after this the rest comes as bare text. */
  readonly totalMs: number;
}

const LIMITS: TimeLimits = { pieceMs: 400, totalMs: 1000 };

/** Only what has content: scripts, styles and drawings are not for reading. */
const UNREADABLE = /<(?:!--|(script|style|svg|noscript|template|iframe|head)\b)/gi;

/**
 * The readable part of a page as Markdown, or without marks and links as text; at least the beginning of it, when
 * that is longer than `enough` characters. What the converter cannot cope with comes as bare text.
 */
export function htmlToMarkdown(
  html: string,
  options: { readonly plain: boolean; readonly enough: number; readonly limits?: TimeLimits },
): string {
  const limits = options.limits ?? LIMITS;
  const converter = new NodeHtmlMarkdown({}, options.plain ? PLAIN : undefined);
  const started = monotonicMs();
  let text = "";
  for (const piece of piecesOf(readable(html))) {
    const late = monotonicMs() - started > limits.totalMs;
    text += `${late ? bareText(piece) : convert(converter, piece, limits.pieceMs)}\n\n`;
    if (text.length > options.enough) break;
  }
  return text.replace(/\n{3,}/g, "\n\n").trim();
}

/** What these elements hold, without a mark around it. */
const PLAIN = { "strong,b": {}, "em,i": {}, "del,s,strike": {}, a: {}, img: { ignore: true } };

function convert(converter: NodeHtmlMarkdown, piece: string, limitMs: number): string {
  try {
    // The time limit of a script is the one way to stop code that runs without a pause.
    return String(
      runInNewContext(
        "convert()",
        { convert: () => converter.translate(piece) },
        { timeout: limitMs },
      ),
    );
  } catch {
    return bareText(piece); // too slow, or nested too deeply for its recursion
  }
}

/** `[^<>]`, not `[^>]`: a page of nothing but `<` must not take quadratic time. */
function bareText(html: string): string {
  return html
    .replace(/<[^<>]*>/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&nbsp;", " ")
    .replaceAll("&amp;", "&")
    .replace(/[ \t]+/g, " ")
    .replace(/\s*\n\s*/g, "\n");
}

/** The page without what nobody reads. An element that is never closed reaches to the end, as in a browser. */
function readable(html: string): string {
  const lower = html.toLowerCase();
  let kept = "";
  let from = 0;
  const opening = new RegExp(UNREADABLE);
  for (let match = opening.exec(html); match !== null; match = opening.exec(html)) {
    kept += html.slice(from, match.index);
    const name = match[1]?.toLowerCase();
    const end = lower.indexOf(name === undefined ? "-->" : `</${name}`, opening.lastIndex);
    const close = end === -1 ? -1 : lower.indexOf(">", end);
    if (close === -1) return kept;
    from = close + 1;
    opening.lastIndex = from;
  }
  return kept + html.slice(from);
}

/** Cuts after a block that closes outside any list, table or preformatted text; a huge one is cut somewhere. */
function* piecesOf(html: string): Generator<string> {
  const tags = /<(\/?)(p|div|section|article|pre|table|ul|ol|h[1-6])\b[^<>]*>/gi;
  let start = 0;
  let depth = 0;
  for (let tag = tags.exec(html); tag !== null; tag = tags.exec(html)) {
    const closes = tag[1] === "/";
    const [, , name = ""] = tag;
    if (/^(pre|table|ul|ol)$/i.test(name)) depth = Math.max(0, depth + (closes ? -1 : 1));
    const size = tags.lastIndex - start;
    if ((size < PIECE_CHARACTERS / 2 || !closes || depth > 0) && size < PIECE_CHARACTERS) continue;
    yield* inParts(html.slice(start, tags.lastIndex));
    start = tags.lastIndex;
    depth = 0;
  }
  yield* inParts(html.slice(start));
}

function* inParts(html: string): Generator<string> {
  for (let at = 0; at < html.length; at += PIECE_CHARACTERS)
    yield html.slice(at, at + PIECE_CHARACTERS);
}
