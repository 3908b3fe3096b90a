import { createHash } from "node:crypto";
import type { Message, Part } from "../protocol/message.ts";
import { cutTo, toolTexts, type Cut } from "./bounded.ts";
import { escaped } from "./escape.ts";
import { STYLE } from "./html-style.ts";
import { prose } from "./prose.ts";
import { rfc3339, shortTime } from "./rfc3339.ts";
import { bytesOf } from "./session-json.ts";
import { turnsOf } from "./steps.ts";
import { inWords, timelineSvg, undrawn } from "./timeline.ts";
import {
  costOf,
  endOf,
  modelsIn,
  readable,
  resultsIn,
  sizeOf,
  titled,
  type ToolCall,
  type ToolResult,
  type Transcript,
} from "./transcript.ts";

/** Of one text of model or user, in characters. */
const MOST_TEXT = 1024 * 1024;
/** Of all images together, in characters of base64. */
const MOST_IMAGES = 16 * 1024 * 1024;
/** Formats that are a picture and nothing else. */
const PICTURES: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
]);
/** Of the line that stands for a folded call. */
const GIST = 120;

/** Nothing may be loaded, run or sent; the one style is this one. */
const POLICY = `default-src 'none'; img-src data:; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;

/** A session as one page that needs nothing else: no script, no font, no request. Every text in it is escaped. */
export function htmlOf(transcript: Transcript): string {
  const { session, messages, clean } = transcript;
  const title = escaped(titled(clean(session.title)));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="crush-run">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1 dir="auto">${title}</h1>
${factsOf(transcript)}
</header>
<main>
<section aria-labelledby="timeline">
<h2 id="timeline">Timeline</h2>
${timelineOf(transcript)}
</section>
<section aria-labelledby="conversation">
<h2 id="conversation">Conversation</h2>
${messages.length === 0 ? "<p>Nothing was said.</p>" : conversation(transcript)}
</section>
</main>
<footer>Exported by crush-run.</footer>
</body>
</html>
`;
}

function factsOf({ session, messages, name, clean }: Transcript): string {
  const facts: readonly (readonly [string, string])[] = [
    ["Session", name.slice(0, 12)],
    ["Full id", session.id],
    ["Created", shortTime(session.createdAt)],
    ["Modified", shortTime(session.updatedAt)],
    ["Models", modelsIn(messages).map(clean).join(", ") || "none"],
    ["Tokens in", session.promptTokens.toLocaleString("en")],
    ["Tokens out", session.completionTokens.toLocaleString("en")],
    ["Cost", costOf(session)],
  ];
  const row = ([what, value]: readonly [string, string]): string =>
    `<div${what === "Full id" ? ' class="wide"' : ""}><dt>${what}</dt><dd>${escaped(value)}</dd></div>`;
  return `<dl>\n${facts.map(row).join("\n")}\n</dl>`;
}

function timelineOf({ messages, clean }: Transcript): string {
  const turns = turnsOf(messages);
  if (turns.length === 0) return "<p>No model was called.</p>";
  const left = undrawn(turns);
  const steps = turns.flatMap((turn) => turn.steps);
  const rows = steps.map(({ model, isSummary, startMs, endMs, usage, tools }, at) => {
    const cells = [
      String(at + 1),
      isSummary ? `${clean(model)} (summary)` : clean(model),
      inWords(endMs - startMs),
      usage === null ? "unknown" : usage.inputTokens.toLocaleString("en"),
      usage === null ? "unknown" : usage.outputTokens.toLocaleString("en"),
      tools
        .map(
          (tool) =>
            `${clean(tool.name)} ${inWords(tool.endMs - tool.startMs)}${tool.isError ? " (failed)" : ""}`,
        )
        .join(", "),
    ];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
  });
  const heads = ["Step", "Model", "Time", "Tokens in", "Tokens out", "Tools"];
  return `<div class="scroll" role="region" aria-label="Timeline of steps and tokens" tabindex="0">
${timelineSvg(turns, clean)}
</div>
<ul class="legend"><li>model call</li><li class="tool">tool</li><li class="failed">tool that failed</li><li class="in">tokens in</li><li class="out">tokens out</li></ul>
${left === 0 ? "" : `<p class="note">The first ${left} steps are not drawn.</p>`}
<details><summary>The same as a table</summary>
<div class="table" role="region" aria-label="Steps as a table" tabindex="0"><table>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>
</details>`;
}

interface Telling {
  readonly clean: (text: string) => string;
  readonly cut: (text: string) => Cut;
  readonly resultOf: (call: ToolCall) => ToolResult | null;
  /** A result without a call beside it. */
  readonly isOrphan: (result: ToolResult) => boolean;
  /** Whether there is room for one more image of so many characters. */
  readonly takesImage: (characters: number) => boolean;
}

function conversation({ messages, clean }: Transcript): string {
  const results = resultsIn(messages);
  const calls = new Set(
    messages.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : [])),
    ),
  );
  const cut = toolTexts();
  let images = 0;
  const told: Telling = {
    clean,
    cut: (text) => cut(clean(text)),
    resultOf: ({ id }) => results.get(id) ?? null,
    isOrphan: ({ toolCallId }) => !calls.has(toolCallId),
    takesImage: (characters) => {
      if (images + characters > MOST_IMAGES) return false;
      images += characters;
      return true;
    },
  };
  return messages
    .map((message) => articleOf(message, told))
    .filter((article) => article !== "")
    .join("\n");
}

const WHO: Readonly<Record<Message["role"], string>> = {
  user: "User",
  assistant: "Assistant",
  tool: "Tool",
  system: "System",
};

function articleOf(message: Message, told: Telling): string {
  const parts = message.parts.map((part) => partOf(part, told)).filter((part) => part !== "");
  if (parts.length === 0) return "";
  const { role, provider, model, createdAt, isSummary } = message;
  const by =
    model === "" ? "" : `<span class="by">${escaped(told.clean(`${provider}/${model}`))}</span>`;
  const what = isSummary === true ? "Summary of what came before" : WHO[role];
  const time = `<time datetime="${rfc3339(createdAt)}">${shortTime(createdAt)}</time>`;
  return `<article class="${role === "user" ? "user" : "other"}">
<h3>${what} ${by} ${time}</h3>
${parts.join("\n")}
</article>`;
}

function partOf(part: Part, told: Telling): string {
  const { clean } = told;
  switch (part.type) {
    case "text": {
      const { text, left } = cutTo(clean(part.text), MOST_TEXT);
      return `${prose(text)}${leftOut(left)}`;
    }
    case "reasoning": {
      const { text, left } = cutTo(clean(part.thinking), MOST_TEXT);
      if (text.trim() === "") return "";
      return `<details><summary><span class="name">Thought</span></summary>\n${prose(text)}${leftOut(left)}\n</details>`;
    }
    case "tool_call":
      return callOf(part, told);
    case "tool_result":
      return told.isOrphan(part)
        ? foldedOf(part.name, "", part.isError, resultOf(part, told), told)
        : "";
    case "binary":
      return attachmentOf(part, told);
    case "finish": {
      const end = endOf(part);
      return end === null ? "" : `<p class="bad">Ended: ${escaped(clean(end))}</p>`;
    }
  }
}

function callOf(call: ToolCall, told: Telling): string {
  const input = told.cut(readable(call.input));
  const result = told.resultOf(call);
  const body = `<h4>Input</h4>\n${pre(input)}\n${result === null ? '<p class="note">No result.</p>' : resultOf(result, told)}`;
  const gist = told
    .clean(call.input)
    .slice(0, 4 * GIST)
    .replace(/\s+/g, " ")
    .slice(0, GIST);
  return foldedOf(call.name, gist, result?.isError === true, body, told);
}

const foldedOf = (
  name: string,
  gist: string,
  failed: boolean,
  body: string,
  { clean }: Telling,
): string =>
  `<details class="${failed ? "failed-call" : "call"}"><summary><span class="name">${escaped(clean(name))}${failed ? " failed" : ""}</span> <span class="gist">${escaped(gist)}</span></summary>\n${body}\n</details>`;

const resultOf = (result: ToolResult, { cut }: Telling): string =>
  `<h4>${result.isError ? "Error" : "Result"}</h4>\n${pre(cut(result.content))}`;

const pre = ({ text, left }: Cut): string =>
  `<pre dir="auto">${escaped(text)}</pre>${leftOut(left)}`;

const leftOut = (left: number): string =>
  left === 0
    ? ""
    : `\n<p class="note">${left.toLocaleString("en")} characters more were left out; crush session show --json has them.</p>`;

function attachmentOf(part: Extract<Part, { type: "binary" }>, told: Telling): string {
  const { mimeType, data, path } = part;
  const name = escaped(told.clean(path));
  const about = `<p class="note">Attachment: ${name} (${escaped(told.clean(mimeType))}, ${sizeOf(bytesOf(data))})`;
  if (!PICTURES.has(mimeType) || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return `${about}</p>`;
  if (!told.takesImage(data.length)) return `${about}; the page has no room for it</p>`;
  return `<img src="data:${mimeType};base64,${data}" alt="Attachment ${name}">${about}</p>`;
}
