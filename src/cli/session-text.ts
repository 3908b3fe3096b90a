import type { Message, Part } from "../protocol/message.ts";
import type { Session } from "../protocol/session.ts";
import { shortTime } from "../transcript/rfc3339.ts";
import { bytesOf, type Clean } from "../transcript/session-json.ts";
import { controlFilter } from "./control-filter.ts";
import { firstLine } from "./first-line.ts";
import { oneLine } from "./one-line.ts";
import { LONG } from "./with-sessions.ts";

/** A line of a tool call or its result is no longer. */
const LINE = 72;

/** A session as a person reads it. Nothing in it moves a terminal. */
export function sessionText(
  session: Session,
  messages: readonly Message[],
  { name, clean }: { readonly name: string; readonly clean: Clean },
): string {
  const rows: readonly (readonly [string, string])[] = [
    ["session", `${name.slice(0, LONG)} (${session.id})`],
    ["title", oneLine(clean(session.title))],
    ["created", shortTime(session.createdAt)],
    ["modified", shortTime(session.updatedAt)],
    ["tokens", `${session.promptTokens} in, ${session.completionTokens} out`],
    ["cost", session.cost === null ? "unknown" : `$${session.cost.toFixed(6)}`],
    ["messages", String(messages.length)],
  ];
  const head = rows.map(([key, value]) => `${key.padEnd(9)} ${value}\n`).join("");
  const shown = messages.map((message) => messageText(message, clean)).filter((text) => text);
  return [head, ...shown].join("\n");
}

function messageText(message: Message, clean: Clean): string {
  const { role, provider, model, createdAt, isSummary } = message;
  const lines = message.parts.flatMap((part) => partLines(part, clean));
  if (lines.length === 0) return "";
  const who = model === "" ? role : `${role} (${clean(`${provider}/${model}`)})`;
  const what = isSummary === true ? `${who}, a summary of what came before` : who;
  return `--- ${shortTime(createdAt)} ${oneLine(what)}\n${lines.join("\n")}\n`;
}

function partLines(part: Part, clean: Clean): readonly string[] {
  const line = (text: string): string => firstLine(oneLine(clean(text)), LINE);
  switch (part.type) {
    case "text":
      return [controlFilter()(clean(part.text)).trimEnd()];
    case "reasoning":
      return part.thinking === "" ? [] : [`(thought) ${line(part.thinking)}`];
    case "tool_call":
      return [`> ${oneLine(clean(part.name))} ${line(part.input)}`];
    case "tool_result":
      return [
        `< ${oneLine(clean(part.name))}${part.isError ? " failed:" : ""} ${line(part.content)}`,
      ];
    case "binary":
      return [`(${oneLine(clean(part.mimeType))}, ${bytesOf(part.data)} bytes) ${line(part.path)}`];
    case "finish":
      return ENDS_WELL.has(part.reason) ? [] : [`(ended: ${part.reason}) ${line(told(part))}`];
  }
}

const ENDS_WELL: ReadonlySet<string> = new Set(["end_turn", "tool_use", "stop"]);

const told = ({ message = "", details = "" }: Extract<Part, { type: "finish" }>): string =>
  [message, details].filter((text) => text !== "").join(": ");
