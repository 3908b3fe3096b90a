import type { Message, Part } from "../protocol/message.ts";
import { toolTexts, type Cut } from "./bounded.ts";
import { shortTime } from "./rfc3339.ts";
import { bytesOf } from "./session-json.ts";
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

/** A session as a Markdown document. What model and user wrote stands in it as it is, closed where it was cut off. */
export function markdownOf(transcript: Transcript): string {
  const { session, messages, name, clean } = transcript;
  const facts = [
    ["Session", `\`${name}\` (\`${session.id}\`)`],
    ["Created", shortTime(session.createdAt)],
    ["Modified", shortTime(session.updatedAt)],
    [
      "Models",
      modelsIn(messages)
        .map((model) => code(clean(model)))
        .join(", ") || "none",
    ],
    ["Tokens", `${session.promptTokens} in, ${session.completionTokens} out`],
    ["Cost", costOf(session)],
  ];
  const results = resultsIn(messages);
  const calls = new Set(
    messages.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : [])),
    ),
  );
  const cut = toolTexts();
  const told: Telling = {
    clean,
    cut: (text) => cut(clean(text)),
    resultOf: ({ id }) => results.get(id) ?? null,
    isOrphan: ({ toolCallId }) => !calls.has(toolCallId),
  };
  return [
    `# ${plain(titled(clean(session.title)))}`,
    facts.map(([what, value]) => `- ${what}: ${value}`).join("\n"),
    ...messages.flatMap((message) => messageBlocks(message, told)),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

interface Telling {
  readonly clean: (text: string) => string;
  readonly cut: (text: string) => Cut;
  readonly resultOf: (call: ToolCall) => ToolResult | null;
  /** A result without a call beside it. */
  readonly isOrphan: (result: ToolResult) => boolean;
}

function messageBlocks(message: Message, told: Telling): readonly string[] {
  const blocks = message.parts.flatMap((part) => partBlocks(part, told));
  if (blocks.length === 0) return [];
  const who = message.role.charAt(0).toUpperCase() + message.role.slice(1);
  const what = message.isSummary === true ? `${who}: summary of what came before` : who;
  return [`## ${what}, ${shortTime(message.createdAt)}`, ...blocks];
}

function partBlocks(part: Part, told: Telling): readonly string[] {
  const { clean } = told;
  switch (part.type) {
    case "text": {
      const text = clean(part.text).trim();
      return text === "" ? [] : [closed(text)];
    }
    case "reasoning": {
      const text = clean(part.thinking).trim();
      return text === "" ? [] : [`> *Thought*\n>\n${text.replace(/^/gm, "> ")}`];
    }
    case "tool_call":
      return [
        `**Tool** ${code(clean(part.name))}`,
        ...fenced(told.cut(readable(part.input)), "json"),
        ...resultBlocks(told.resultOf(part), told),
      ];
    case "tool_result":
      return told.isOrphan(part)
        ? [`**Tool** ${code(clean(part.name))}`, ...resultBlocks(part, told)]
        : [];
    case "binary":
      return [
        `*Attachment:* ${code(clean(part.path))} (${plain(clean(part.mimeType))}, ${sizeOf(bytesOf(part.data))})`,
      ];
    case "finish": {
      const end = endOf(part);
      return end === null ? [] : [`*Ended:* ${plain(clean(end))}`];
    }
  }
}

function resultBlocks(result: ToolResult | null, { cut }: Telling): readonly string[] {
  if (result === null) return ["*No result.*"];
  const { text, left } = cut(result.content);
  const what = result.isError ? ["*It failed:*"] : [];
  return [...what, ...fenced({ text, left }, "")];
}

function fenced({ text, left }: Cut, language: string): readonly string[] {
  const note = left === 0 ? [] : [`*… ${left} characters more were left out.*`];
  return [
    `${fenceFor(text)}${language}\n${text}${text.endsWith("\n") ? "" : "\n"}${fenceFor(text)}`,
    ...note,
  ];
}

/** With the end of a code block in which the text was cut off: it would take in the rest of the document. */
function closed(text: string): string {
  let open: string | null = null;
  for (const line of text.split("\n")) {
    const fence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(line)?.[1];
    if (fence === undefined) continue;
    if (open === null) open = fence;
    else if (fence.startsWith(open) && line.trim() === fence) open = null;
  }
  return open === null ? text : `${text}\n${open}`;
}

/** Longer than every row of backticks in the text. */
function fenceFor(text: string): string {
  const rows = text.match(/`{3,}/g) ?? [];
  return "`".repeat(Math.max(3, ...rows.map((row) => row.length + 1)));
}

/** In a line of ours: nothing in it is Markdown or HTML. */
const plain = (text: string): string =>
  text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>()#+!|~&]/g, "\\$&");

const code = (text: string): string => {
  const line = text.replace(/\s+/g, " ");
  const rows = line.match(/`+/g) ?? [];
  const ticks = "`".repeat(Math.max(0, ...rows.map((row) => row.length)) + 1);
  return ticks.length === 1 ? `\`${line}\`` : `${ticks} ${line} ${ticks}`;
};
