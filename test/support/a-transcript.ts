import type { MessageId, SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part, Role } from "../../src/protocol/message.ts";
import type { Session } from "../../src/protocol/session.ts";
import type { Transcript } from "../../src/transcript/transcript.ts";

/** 2026-08-20 12:00 UTC */
export const NOON = 1_787_227_200;

export const message = (
  role: Role,
  parts: readonly Part[],
  more: Partial<Message> = {},
): Message => ({
  id: "m" as MessageId,
  sessionId: "00000000-0000-4000-8000-000000000001" as SessionId,
  role,
  parts,
  model: role === "assistant" ? "gpt-4o" : "",
  provider: role === "assistant" ? "openai" : "",
  createdAt: NOON,
  updatedAt: NOON,
  ...more,
});

export const transcript = (
  messages: readonly Message[],
  session: Partial<Session> = {},
  clean: Transcript["clean"] = (text) => text,
): Transcript => ({
  session: {
    id: "00000000-0000-4000-8000-000000000001" as SessionId,
    parentSessionId: null,
    title: "Fix the bug",
    messageCount: messages.length,
    promptTokens: 1200,
    completionTokens: 80,
    cost: 0.01,
    summaryMessageId: null,
    createdAt: NOON,
    updatedAt: NOON + 60,
    ...session,
  },
  messages,
  name: "703e28f876f666f2",
  clean,
});

/** Every place of a session that holds somebody else's text, with this text in it. */
export const withEverywhere = (text: string): Transcript =>
  transcript(
    [
      message("user", [
        { type: "text", text },
        { type: "binary", path: text, mimeType: text, data: text },
        { type: "binary", path: text, mimeType: "image/png", data: PIXEL },
        { type: "binary", path: text, mimeType: "image/svg+xml", data: PIXEL },
      ]),
      message(
        "assistant",
        [
          { type: "reasoning", thinking: text },
          { type: "text", text },
          {
            type: "text",
            text: `\`${text}\` **${text}**\n\`\`\`${text}\n${text}\n\`\`\`\n${text}`,
          },
          {
            type: "tool_call",
            id: text,
            name: text,
            input: JSON.stringify({ [text]: text }),
            finished: true,
          },
          { type: "tool_call", id: "other", name: text, input: text, finished: true },
          {
            type: "finish",
            reason: "error",
            time: NOON + 2,
            message: text,
            details: text,
            step: { startedMs: NOON * 1000, endedMs: NOON * 1000 + 1500, usage: USAGE },
          },
        ],
        { model: text, provider: text },
      ),
      message("tool", [
        {
          type: "tool_result",
          toolCallId: text,
          name: text,
          content: text,
          isError: true,
          metadata: text,
        },
        {
          type: "tool_result",
          toolCallId: "none",
          name: text,
          content: text,
          isError: false,
          metadata: "",
        },
      ]),
      message("assistant", [{ type: "text", text }], {
        model: text,
        provider: text,
        isSummary: true,
      }),
    ],
    { title: text },
  );

const USAGE = { inputTokens: 1200, cachedInputTokens: 0, outputTokens: 80, reasoningTokens: 0 };

/** A red dot. */
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
