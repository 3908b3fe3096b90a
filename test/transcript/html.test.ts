import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Part } from "../../src/protocol/message.ts";
import { masked } from "../../src/shared/masked.ts";
import { htmlOf } from "../../src/transcript/html.ts";
import { markdownOf } from "../../src/transcript/markdown.ts";
import { message, NOON, PIXEL, transcript, withEverywhere } from "../support/a-transcript.ts";

/** Of what we write ourselves; everything else that looks like a tag came in with a text. */
const OWN_TAG =
  /^<(!doctype html|\/?(html|head|meta|title|style|body|header|main|section|footer|article|h[1-4]|p|dl|dt|dd|div|ul|li|details|summary|span|time|pre|code|strong|img|svg|desc|rect|line|text|table|thead|tbody|tr|th|td)( [a-zA-Z][a-zA-Z0-9-]*="[^"<>]*")*\/?)>$/;

const tagsOf = (html: string): readonly string[] =>
  html.replace(/<style>.*?<\/style>/s, "").match(/<[^>]*>?/g) ?? [];
const strangeTags = (html: string): readonly string[] =>
  tagsOf(html).filter((tag) => {
    const names = tag.replaceAll(/"[^"]*"/g, '""');
    const loads = / src="/.test(tag) && !/ src="data:image\/png;base64,/.test(tag);
    return !OWN_TAG.test(tag) || / (on[a-z]+|style|href)=/.test(names) || loads;
  });

test.each([
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "</title></style></textarea></svg><svg onload=alert(1)>",
  "' onmouseover='alert(1)",
  "<!-- --><![CDATA[<b>",
  "&lt;b&gt; &amp;",
])("no text becomes a tag or an attribute: %s", (text) => {
  expect(strangeTags(htmlOf(withEverywhere(text)))).toEqual([]);
});

test("no text at all changes the structure of the page", () => {
  const hostile = fc.string({
    unit: fc.constantFrom(
      "<",
      ">",
      '"',
      "'",
      "&",
      "`",
      "*",
      "/",
      "=",
      " ",
      "\n",
      "a",
      "!",
      "-",
      "\u2028",
      "\0",
      "\ud800",
    ),
    maxLength: 40,
  });
  fc.assert(
    fc.property(hostile, (text) => {
      expect(strangeTags(htmlOf(withEverywhere(text)))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("a text is shown as it was written", () => {
  const html = htmlOf(
    transcript([message("user", [{ type: "text", text: "a < b && `c<d>` **e** \u00e4" }])]),
  );
  expect(html).toContain("a &lt; b &amp;&amp; <code>c&lt;d&gt;</code> <strong>e</strong> \u00e4");
});

test("fenced code is code until its fence, however long that is", () => {
  const html = htmlOf(
    transcript([
      message("user", [{ type: "text", text: "see\n````md\n```js\nx\n```\n````\nend" }]),
    ]),
  );
  expect(html).toContain(
    '<div class="text" dir="auto">see</div>\n<pre class="code">```js\nx\n```</pre>\n<div class="text" dir="auto">end</div>',
  );
});

test("the policy of the page allows its own style and pictures in it, nothing else", () => {
  const html = htmlOf(transcript([]));
  const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(html).toContain(
    `content="default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
  );
  expect(html).not.toMatch(/https?:|url\(|@import|<script|<link|<iframe/);
});

test("pictures are part of the page when they are nothing else, and only as long as there is room", () => {
  const picture = (mimeType: string, data: string): Part => ({
    type: "binary",
    path: "a.png",
    mimeType,
    data,
  });
  const big = "A".repeat(12 * 1024 * 1024);
  const html = htmlOf(
    transcript([
      message("user", [
        picture("image/png", PIXEL),
        picture("image/svg+xml", PIXEL),
        picture("text/html", PIXEL),
        picture("image/png", '" onload="x'),
        picture("image/jpeg", big),
        picture("image/jpeg", big),
      ]),
    ]),
  );
  expect(
    tagsOf(html)
      .filter((tag) => tag.startsWith("<img"))
      .map((tag) => tag.slice(0, 40)),
  ).toEqual([
    expect.stringContaining("data:image/png;base64,iVBOR"),
    expect.stringContaining("data:image/jpeg;base64,AAAA"),
  ]);
  expect(html).toContain("the page has no room for it");
});

const ran = (content: string, input = "{}"): Parameters<typeof transcript>[0] => [
  message("assistant", [{ type: "tool_call", id: "c", name: "bash", input, finished: true }]),
  message("tool", [
    { type: "tool_result", toolCallId: "c", name: "bash", content, isError: false, metadata: "" },
  ]),
];

test.each([
  ["html", htmlOf],
  ["markdown", markdownOf],
])("the output of a tool that is very long is cut, with a note: %s", (_, documentOf) => {
  const document = documentOf(transcript(ran("x".repeat(1024 * 1024))));
  expect(document.length).toBeLessThan(90 * 1024);
  expect(document).toMatch(/983,?040 characters more were left out/);
});

test("many long outputs make no page that a browser cannot open", () => {
  const many = Array.from({ length: 1_000 }, () => ran("x".repeat(100_000))).flat();
  expect(htmlOf(transcript(many)).length).toBeLessThan(16 * 1024 * 1024);
});

test.each([
  ["html", htmlOf],
  ["markdown", markdownOf],
])("no document holds a secret, not even one that a cut would have torn: %s", (_, documentOf) => {
  const secret = "sk-0123456789abcdefghij";
  const clean = (text: string): string => masked(text, [secret]);
  const all = { ...withEverywhere(`x ${secret} y`), clean };
  expect(documentOf(all)).not.toContain(secret.slice(0, 12));
  const torn = transcript(ran(`${"x".repeat(64 * 1024 - 11)}${secret}`), {}, clean);
  expect(documentOf(torn)).not.toContain(secret.slice(0, 11));
});

test("a call and its result are folded together; a result without a call stands for itself", () => {
  const html = htmlOf(
    transcript([
      ...ran("hello", '{"command":"echo hello"}'),
      message("tool", [
        {
          type: "tool_result",
          toolCallId: "z",
          name: "ls",
          content: "lost",
          isError: true,
          metadata: "",
        },
      ]),
    ]),
  );
  expect(html).toContain(
    '<summary><span class="name">bash</span> <span class="gist">{&quot;command&quot;:&quot;echo hello&quot;}</span></summary>',
  );
  expect(html.match(/hello<\/pre>/g)).toHaveLength(1);
  expect(html).toContain(
    '<details class="failed-call"><summary><span class="name">ls failed</span>',
  );
});

test("a step is drawn with its time, its tokens and its tools", () => {
  const usage = { inputTokens: 1234, cachedInputTokens: 0, outputTokens: 56, reasoningTokens: 0 };
  const ms = NOON * 1000;
  const html = htmlOf(
    transcript([
      message("user", [{ type: "text", text: "go" }]),
      message("assistant", [
        { type: "tool_call", id: "c", name: "bash", input: "{}", finished: true },
        {
          type: "finish",
          reason: "tool_use",
          time: NOON + 2,
          step: { startedMs: ms, endedMs: ms + 2000, usage },
        },
      ]),
      message("tool", [
        {
          type: "tool_result",
          toolCallId: "c",
          name: "bash",
          content: "",
          isError: false,
          metadata: "",
          span: { startedMs: ms + 2000, endedMs: ms + 4000 },
        },
      ]),
    ]),
  );
  expect(html).toContain(
    '<rect class="model" x="190" y="54" width="200" height="12" rx="2"><title>openai/gpt-4o: 2.0 s</title></rect>',
  );
  expect(html).toContain(
    '<rect class="tool" x="390" y="54" width="200" height="12" rx="2"><title>bash: 2.0 s</title></rect>',
  );
  expect(html).toContain(">1,234</text>");
  expect(html).toContain("<td>1,234</td><td>56</td><td>bash 2.0 s</td>");
});

test("a session without times and tokens of its steps is drawn by the times of its messages", () => {
  const html = htmlOf(
    transcript([
      message("user", [{ type: "text", text: "go" }]),
      message("assistant", [{ type: "finish", reason: "end_turn", time: NOON + 3 }]),
    ]),
  );
  expect(html).toContain("<td>3.0 s</td><td>unknown</td><td>unknown</td>");
});

test("of very many steps the last are drawn, and the table has all of them", () => {
  const turn = [
    message("user", [{ type: "text", text: "go" }]),
    message("assistant", [{ type: "text", text: "a" }]),
    message("assistant", [{ type: "text", text: "b" }]),
  ];
  const html = htmlOf(transcript(Array.from({ length: 150 }, () => turn).flat()));
  expect(html.match(/<rect class="model"/g)).toHaveLength(200);
  expect(html).toContain("The first 100 steps are not drawn.");
  expect(html.match(/<tr><td>/g)).toHaveLength(300);
});

test("an empty session is a page too", () => {
  const html = htmlOf(transcript([], { title: " ", cost: null }));
  expect(html).toContain("<title>Untitled session</title>");
  expect(html).toContain("Nothing was said.");
  expect(html).toContain("<dd>unknown</dd>");
  expect(strangeTags(html)).toEqual([]);
});
