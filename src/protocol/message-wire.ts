import type { Json } from "../shared/json.ts";
import type { Message, Part } from "./message.ts";

/** A message as REST answers and `message` events carry it. protocol.md section 7. */
export function encodeMessage(message: Message): Json {
  return {
    parts: message.parts.map(encodePart),
    id: message.id,
    role: message.role,
    session_id: message.sessionId,
    model: message.model,
    provider: message.provider,
    created_at: message.createdAt,
    updated_at: message.updatedAt,
    ...(message.isSummary === true ? { is_summary_message: true } : {}),
  };
}

function encodePart(part: Part): Json {
  switch (part.type) {
    case "text":
      return { type: "text", data: { text: part.text } };
    case "reasoning":
      return {
        type: "reasoning",
        data: {
          thinking: part.thinking,
          signature: "",
          ...(part.startedAt === undefined ? {} : { started_at: part.startedAt }),
          ...(part.finishedAt === undefined ? {} : { finished_at: part.finishedAt }),
        },
      };
    case "tool_call":
      return {
        type: "tool_call",
        data: {
          id: part.id,
          name: part.name,
          input: part.input,
          ...(part.finished ? { finished: true } : {}),
        },
      };
    case "tool_result":
      return {
        type: "tool_result",
        data: {
          tool_call_id: part.toolCallId,
          name: part.name,
          content: part.content,
          metadata: part.metadata,
          is_error: part.isError,
        },
      };
    case "binary":
      return {
        type: "binary",
        data: { Path: part.path, MIMEType: part.mimeType, Data: part.data },
      };
    case "finish":
      return {
        type: "finish",
        data: {
          reason: part.reason,
          time: part.time,
          ...(part.message === undefined ? {} : { message: part.message }),
          ...(part.details === undefined ? {} : { details: part.details }),
        },
      };
  }
}
