import { isJsonObject, type JsonObject } from "../shared/json.ts";
import type { FinishReason, Message, Part, Role } from "./message.ts";

/**
 * A message as it comes over the wire; null for what is none. Parts that we do not know are left out. By hand and not by schema: the
 * command never reads one, and should not pay for building it.
 */
export function decodeMessage(wire: unknown): Message | null {
  if (!isJsonObject(wire)) return null;
  const { id, role, session_id: sessionId, parts } = wire;
  if (typeof id !== "string" || typeof sessionId !== "string" || !isRole(role)) return null;
  if (!Array.isArray(parts)) return null;
  return {
    id: id as Message["id"],
    sessionId: sessionId as Message["sessionId"],
    role,
    parts: parts.flatMap((part) => decodePart(part) ?? []),
    model: text(wire, "model"),
    provider: text(wire, "provider"),
    createdAt: number(wire, "created_at"),
    updatedAt: number(wire, "updated_at"),
    ...(wire["is_summary_message"] === true ? { isSummary: true } : {}),
  };
}

function decodePart(wire: unknown): Part | null {
  if (!isJsonObject(wire) || !isJsonObject(wire["data"])) return null;
  const { type, data } = wire;
  switch (type) {
    case "text":
      return { type, text: text(data, "text") };
    case "reasoning":
      return {
        type,
        thinking: text(data, "thinking"),
        ...(typeof data["started_at"] === "number" ? { startedAt: data["started_at"] } : {}),
        ...(typeof data["finished_at"] === "number" ? { finishedAt: data["finished_at"] } : {}),
      };
    case "tool_call": {
      const finished = data["finished"] === true;
      return {
        type,
        id: text(data, "id"),
        name: text(data, "name"),
        input: text(data, "input"),
        finished,
      };
    }
    case "tool_result":
      return {
        type,
        toolCallId: text(data, "tool_call_id"),
        name: text(data, "name"),
        content: text(data, "content"),
        isError: data["is_error"] === true,
        metadata: text(data, "metadata"),
      };
    case "binary":
      return {
        type,
        path: text(data, "Path"),
        mimeType: text(data, "MIMEType"),
        data: text(data, "Data"),
      };
    case "finish": {
      const { message, details } = data;
      return {
        type,
        reason: finishReason(data["reason"]),
        time: number(data, "time"),
        ...(typeof message === "string" ? { message } : {}),
        ...(typeof details === "string" ? { details } : {}),
      };
    }
    default:
      return null;
  }
}

const FINISH_REASONS = {
  end_turn: true,
  max_tokens: true,
  tool_use: true,
  canceled: true,
  error: true,
  content_filter: true,
  unknown: true,
  stop: true,
} satisfies Record<FinishReason, true>;

const ROLES = { user: true, assistant: true, tool: true, system: true } satisfies Record<
  Role,
  true
>;

const isRole = (value: unknown): value is Role =>
  typeof value === "string" && Object.hasOwn(ROLES, value);

const finishReason = (value: unknown): FinishReason =>
  typeof value === "string" && Object.hasOwn(FINISH_REASONS, value)
    ? (value as FinishReason)
    : "unknown";

/** What is of another type counts as empty, as old clients read it. */
function text(data: JsonObject, key: string): string {
  const value = data[key];
  return typeof value === "string" ? value : "";
}

function number(data: JsonObject, key: string): number {
  const value = data[key];
  return typeof value === "number" ? value : 0;
}
