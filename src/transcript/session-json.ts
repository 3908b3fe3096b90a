import type { Message, Part } from "../protocol/message.ts";
import type { Session } from "../protocol/session.ts";
import { isJsonObject, type JsonObject } from "../shared/json.ts";
import type { SessionHash } from "../protocol/session-hash.ts";
import { rfc3339 } from "./rfc3339.ts";

/** What may be shown of a text: without secrets. */
export type Clean = (text: string) => string;

/** The documents of `crush session … --json`. protocol.md section 9.3. */
export interface SessionJson {
  /** For a list. */
  entry(session: Session): JsonObject;
  /** What was done to a session: `deleted`, `renamed`. */
  changed(session: Pick<Session, "id" | "title">, what: "deleted" | "renamed"): JsonObject;
  whole(session: Session, messages: readonly Message[]): JsonObject;
}

export function sessionJson(hash: SessionHash, clean: Clean): SessionJson {
  const named = ({ id, title }: Pick<Session, "id" | "title">) => ({
    id: hash(id),
    uuid: id,
    title: clean(title),
  });
  const entry = (session: Session) => ({
    ...named(session),
    created: rfc3339(session.createdAt),
    modified: rfc3339(session.updatedAt),
  });
  return {
    entry,
    changed: (session, what) => ({ ...named(session), [what]: true }),
    whole: (session, messages) => {
      const skills = skillsIn(messages, clean);
      return {
        meta: {
          ...entry(session),
          cost: session.cost ?? 0,
          prompt_tokens: session.promptTokens,
          completion_tokens: session.completionTokens,
          total_tokens: session.promptTokens + session.completionTokens,
          ...(skills.length === 0 ? {} : { skills }),
        },
        messages: messages.map((message) => ({
          id: message.id,
          role: message.role,
          created: rfc3339(message.createdAt),
          ...filled({ model: message.model, provider: message.provider }),
          parts: message.parts.map((part) => flatPart(part, clean)),
        })),
      };
    },
  };
}

function flatPart(part: Part, clean: Clean): JsonObject {
  switch (part.type) {
    case "text":
      return filled({ type: "text", text: clean(part.text) });
    case "reasoning":
      return filled({
        type: "reasoning",
        thinking: clean(part.thinking),
        started_at: part.startedAt ?? 0,
        finished_at: part.finishedAt ?? 0,
      });
    case "tool_call":
      return filled({
        type: "tool_call",
        tool_call_id: part.id,
        name: part.name,
        input: clean(part.input),
      });
    case "tool_result":
      return filled({
        type: "tool_result",
        tool_call_id: part.toolCallId,
        name: part.name,
        content: clean(part.content),
        is_error: part.isError,
      });
    case "binary":
      return filled({ type: "binary", mime_type: clean(part.mimeType), size: bytesOf(part.data) });
    case "finish":
      return filled({ type: "finish", reason: part.reason, time: part.time });
    default:
      return { type: "unknown" }; // of another version
  }
}

/** Without what is empty. */
const filled = (fields: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== "" && value !== 0 && value !== false),
  );

/** What base64 stands for. */
export const bytesOf = (base64: string): number =>
  Math.floor((base64.replace(/=+$/, "").length * 3) / 4);

/** Those that tools have loaded: the first time of each, in order of time, then of name. */
function skillsIn(messages: readonly Message[], clean: Clean): JsonObject[] {
  const skills = new Map<string, { description: string; at: number }>();
  for (const { parts, createdAt } of messages)
    for (const part of parts) {
      const about = part.type === "tool_result" ? metadataOf(part.metadata) : {};
      const name = about["resource_name"];
      if (about["resource_type"] !== "skill" || typeof name !== "string" || name === "") continue;
      const said = about["resource_description"];
      const description = typeof said === "string" ? said : "";
      if (!skills.has(name)) skills.set(name, { description, at: createdAt });
    }
  return [...skills]
    .sort(([a, one], [b, other]) => one.at - other.at || (a < b ? -1 : 1))
    .map(([name, { description, at }]) => ({
      name: clean(name),
      description: clean(description),
      loaded_at: rfc3339(at),
    }));
}

function metadataOf(metadata: string): JsonObject {
  try {
    const value: unknown = JSON.parse(metadata);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
