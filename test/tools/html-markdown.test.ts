import { expect, test } from "vitest";
import { htmlToMarkdown } from "../../src/tools/html-markdown.ts";

const markdown = (html: string): string => htmlToMarkdown(html, { plain: false, enough: 1e9 });
const plain = (html: string): string => htmlToMarkdown(html, { plain: true, enough: 1e9 });

const PAGE = `<!doctype html><html><head><title>T</title><style>p{}</style></head><body>
<script>alert("no")</script><!-- nor this --><svg><text>nor that</text></svg>
<h1>Head &amp; shoulders</h1><p>Some <b>bold</b> <a href="/u">link</a></p>
<ul><li>one</li><li>two</li></ul><pre><code>x &lt; y</code></pre>
<table><tr><th>A</th></tr><tr><td>1</td></tr></table></body></html>`;

test("a page becomes Markdown, without scripts, styles and comments", () => {
  expect(markdown(PAGE)).toBe(
    [
      "# Head & shoulders",
      "Some **bold** [link](/u)",
      "* one\n* two",
      "```\nx < y\n```",
      "| A |\n| - |\n| 1 |",
    ].join("\n\n"),
  );
  expect(markdown("<p>a</p><script>never closed <p>b</p>")).toBe("a");
});

test("as plain text it has no links and no emphasis", () => {
  expect(plain('<p>Some <b>bold</b> <a href="/u">link</a><img src="x.png" alt="y"></p>')).toBe(
    "Some bold link",
  );
});

test("a large page is converted whole, lists across the pieces included", () => {
  const rows = Array.from(
    { length: 2000 },
    (_, at) => `<div><p>row <b>${at}</b></p><ul><li>x</li></ul></div>`,
  );
  const limits = { pieceMs: 60_000, totalMs: 60_000 }; // the machine may have other work
  const text = htmlToMarkdown(rows.join(""), { plain: true, enough: 1e9, limits });
  expect([...text.matchAll(/^row (\d+)$/gm)].map((row) => Number(row[1]))).toEqual(
    rows.map((_, at) => at),
  );
  expect(text.match(/^\* x$/gm)).toHaveLength(rows.length);
});

test("no more is converted than is enough", () => {
  const text = htmlToMarkdown("<p>word</p>".repeat(100_000), { plain: true, enough: 1000 });
  expect(text.length).toBeGreaterThan(1000);
  expect(text.length).toBeLessThan(100_000);
});

test.each(["<table>", "<", "<a ", "<!--", "<script>", "<p <"])(
  "a hostile page of nothing but %s takes bounded time",
  (unit) => {
    const started = performance.now();
    const text = markdown(`${unit.repeat((512 * 1024) / unit.length)}end`);
    expect(performance.now() - started).toBeLessThan(4000);
    expect(typeof text).toBe("string");
  },
);

test("what is nested too deeply to convert comes as bare text", () => {
  expect(markdown(`${"<div>".repeat(8000)}a &lt; b${"</div>".repeat(8000)}`)).toContain("a < b");
});
