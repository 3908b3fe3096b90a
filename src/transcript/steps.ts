import type { Message, Part } from "../protocol/message.ts";
import type { Usage } from "../protocol/usage.ts";

/** A tool call as it ran. Times are milliseconds since the epoch. */
export interface ToolSpan {
  readonly name: string;
  readonly isError: boolean;
  readonly startMs: number;
  readonly endMs: number;
}

/** One model call and the tools that it asked for. */
export interface Step {
  /** `provider/model` */
  readonly model: string;
  readonly isSummary: boolean;
  readonly startMs: number;
  readonly endMs: number;
  /** Null where nobody told: an attempt that broke off, a session of an earlier version. */
  readonly usage: Usage | null;
  readonly tools: readonly ToolSpan[];
}

/** What followed from one prompt. */
export interface Turn {
  /** When it was asked, in Unix seconds. */
  readonly askedAt: number;
  readonly steps: readonly Step[];
}

interface OpenTurn {
  readonly askedAt: number;
  readonly steps: (Omit<Step, "tools"> & { readonly tools: ToolSpan[] })[];
}

/** The steps of a conversation, prompt by prompt. Where times were not kept to the millisecond they are those of the messages. */
export function turnsOf(messages: readonly Message[]): readonly Turn[] {
  const turns: OpenTurn[] = [];
  for (const message of messages) {
    let turn = turns.at(-1);
    if (turn === undefined || message.role === "user") {
      turn = { askedAt: message.createdAt, steps: [] };
      turns.push(turn);
    }
    const last = turn.steps.at(-1);
    if (message.role === "assistant") turn.steps.push({ ...stepOf(message), tools: [] });
    if (message.role === "tool" && last !== undefined)
      last.tools.push(...spansOf(message, last.endMs));
  }
  return turns.filter(({ steps }) => steps.length > 0);
}

function stepOf(message: Message): Omit<Step, "tools"> {
  const finish = message.parts.findLast((part) => part.type === "finish");
  const kept = finish?.step;
  const startMs = kept?.startedMs ?? message.createdAt * 1000;
  const endMs = kept?.endedMs ?? Math.max(finish?.time ?? 0, message.createdAt) * 1000;
  const model = message.model === "" ? "" : `${message.provider}/${message.model}`;
  return {
    model,
    isSummary: message.isSummary === true,
    startMs,
    endMs: Math.max(startMs, endMs),
    usage: kept?.usage ?? null,
  };
}

type ToolResult = Extract<Part, { type: "tool_result" }>;

function spansOf({ parts, updatedAt }: Message, after: number): readonly ToolSpan[] {
  return parts
    .filter((part): part is ToolResult => part.type === "tool_result")
    .map(({ name, isError, span }) => ({
      name,
      isError,
      startMs: span?.startedMs ?? after,
      endMs: span?.endedMs ?? Math.max(after, updatedAt * 1000),
    }));
}
