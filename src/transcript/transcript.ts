import type { Message, Part } from "../protocol/message.ts";
import type { Session } from "../protocol/session.ts";
import type { Clean } from "./session-json.ts";

/** A session to make a document of. */
export interface Transcript {
  readonly session: Session;
  readonly messages: readonly Message[];
  /** The short name. */
  readonly name: string;
  /** What may be shown of a text: without secrets, without what a terminal would obey. */
  readonly clean: Clean;
}

export type ToolCall = Extract<Part, { type: "tool_call" }>;
export type ToolResult = Extract<Part, { type: "tool_result" }>;

/** The results by the id of their call. */
export function resultsIn(messages: readonly Message[]): ReadonlyMap<string, ToolResult> {
  const results = new Map<string, ToolResult>();
  for (const { parts } of messages)
    for (const part of parts) if (part.type === "tool_result") results.set(part.toolCallId, part);
  return results;
}

/** Models that wrote in it, as `provider/model`. */
export const modelsIn = (messages: readonly Message[]): readonly string[] => [
  ...new Set(
    messages
      .filter(({ model }) => model !== "")
      .map(({ provider, model }) => `${provider}/${model}`),
  ),
];

export const costOf = ({ cost }: Session): string =>
  cost === null ? "unknown" : `$${cost.toFixed(6)}`;

/** The input of a tool as people read it: JSON with its lines. */
export function readable(input: string): string {
  try {
    return JSON.stringify(JSON.parse(input), null, 2);
  } catch {
    return input;
  }
}

/** What a message says of its end, unless it ended as it should. */
export function endOf(part: Extract<Part, { type: "finish" }>): string | null {
  if (["end_turn", "tool_use", "stop"].includes(part.reason)) return null;
  const words = [part.reason, part.message ?? "", part.details ?? ""];
  return words.filter((word) => word !== "").join(": ");
}

export const titled = (title: string): string =>
  title.replace(/\s+/g, " ").trim() || "Untitled session";

export const sizeOf = (bytes: number): string =>
  bytes < 1000
    ? `${bytes} bytes`
    : bytes < 1e6
      ? `${(bytes / 1e3).toFixed(1)} kB`
      : `${(bytes / 1e6).toFixed(1)} MB`;
