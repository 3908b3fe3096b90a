import * as z from "zod/mini";
import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";
import { toCamel, toSnake } from "./case.ts";
import { decodeMessage } from "./decode-message.ts";
import { encodeMessage } from "./message-wire.ts";
import type { RunFailure } from "./ending.ts";
import { decodeFailure, denialKindSchema } from "./run-record.ts";
import type { AgentNotification, MessageEvent, RunComplete, RunEvent } from "./run-event.ts";

/** Everything our client understands; all other events of the wire are skipped (SSE-15). */
export type WireEvent =
  | RunComplete
  | RunEvent
  | AgentError
  | AgentNotification
  | MessageEvent
  | Gap;

/** The reader was so slow that events are no longer kept: `missed` of them, where the server counts. */
export interface Gap {
  readonly type: "gap";
  readonly missed?: number;
}

/** An asynchronous, informative "this run failed"; never a verdict. */
export interface AgentError {
  readonly type: "agent_error";
  readonly runId: string | null;
  readonly sessionId: string;
  readonly error: string;
}

/** Envelope `{type, payload: {type, payload}}` of protocol.md section 6.2, as one JSON line. */
export function encodeEvent(event: WireEvent): string {
  switch (event.type) {
    case "run_complete":
      return envelope("run_complete", "updated", runCompletePayload(event));
    case "agent_error":
      return envelope("agent_event", "created", {
        type: "error",
        error: event.error,
        ...(event.runId === null ? {} : { run_id: event.runId }),
        session_id: event.sessionId,
        message: EMPTY_MESSAGE,
      });
    case "agent_notification":
      return envelope("agent_event", "created", {
        type: event.kind,
        ...(event.runId === null ? {} : { run_id: event.runId }),
        session_id: event.sessionId,
        session_title: event.sessionTitle,
        ...(event.providerId === null ? {} : { provider_id: event.providerId }),
        message: EMPTY_MESSAGE,
      });
    case "message":
      return envelope("message", event.lifecycle, {
        ...(encodeMessage(event.message) as Record<string, Json>),
        ...(event.runId === null ? {} : { run_id: event.runId }),
      });
    case "gap":
      return envelope("gap", "created", event.missed === undefined ? {} : { missed: event.missed });
    default: {
      const { runId, ...rest } = event;
      const payload = toSnake(runId === null ? rest : event);
      return envelope("run_event", "created", payload);
    }
  }
}

/** Null for anything unknown or malformed. */
export function decodeEvent(line: string): WireEvent | null {
  let outer: unknown;
  try {
    outer = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isJsonObject(outer) || !isJsonObject(outer["payload"])) return null;
  const payload = outer["payload"]["payload"];
  switch (outer["type"]) {
    case "run_complete":
      return decodeRunComplete(payload);
    case "agent_event":
      return decodeAgentEvent(payload);
    case "message":
      return decodeMessageEvent(outer["payload"]["type"], payload);
    case "run_event":
      return decodeRunEvent(payload);
    case "gap":
      return decodeGap(payload);
    default:
      return null;
  }
}

const EMPTY_MESSAGE: Json = {
  parts: [],
  id: "",
  role: "",
  session_id: "",
  model: "",
  provider: "",
  created_at: 0,
  updated_at: 0,
};

const envelope = (type: string, inner: string, payload: Json): string =>
  JSON.stringify({ type, payload: { type: inner, payload } });

function runCompletePayload(event: RunComplete): Json {
  const { failure, cancelled } = event;
  return {
    session_id: event.sessionId,
    ...(event.runId === null ? {} : { run_id: event.runId }),
    message_id: event.messageId ?? "",
    ...(event.text === "" ? {} : { text: event.text }),
    ...(failure === null ? {} : { error: failure.message, failure: toSnake(failure) }),
    ...(cancelled ? { cancelled: true } : {}),
    ...(cancelled && failure !== null ? { cancel_reason: failure.reason } : {}),
    ...(event.cancelledBy === undefined ? {} : { cancelled_by: event.cancelledBy }),
  };
}

const optionalText = z._default(z.string(), "");
const runCompleteSchema = z.object({
  session_id: optionalText,
  run_id: optionalText,
  message_id: optionalText,
  text: optionalText,
  error: optionalText,
  cancelled: z._default(z.boolean(), false),
  failure: z.optional(z.unknown()),
  cancelled_by: z.optional(z.string()),
});

function decodeRunComplete(payload: unknown): RunComplete | null {
  const parsed = z.safeParse(runCompleteSchema, payload);
  if (!parsed.success) return null;
  const wire = parsed.data;
  return {
    type: "run_complete",
    runId: (wire.run_id === "" ? null : wire.run_id) as RunComplete["runId"],
    sessionId: wire.session_id as RunComplete["sessionId"],
    messageId: (wire.message_id === "" ? null : wire.message_id) as RunComplete["messageId"],
    text: wire.text,
    cancelled: wire.cancelled,
    failure: completeFailure(wire.failure, wire.error),
    ...(wire.cancelled_by === undefined ? {} : { cancelledBy: wire.cancelled_by }),
  };
}

function completeFailure(wire: unknown, error: string): RunFailure | null {
  const ours = wire === undefined ? null : decodeFailure(toCamel(wire));
  if (ours !== null || error === "") return ours;
  return {
    reason: "provider_error",
    message: error,
    remedy: null,
    httpStatus: null,
    provider: null,
  };
}

function decodeAgentEvent(payload: unknown): AgentError | AgentNotification | null {
  if (!isJsonObject(payload)) return null;
  const { type } = payload;
  const error = textIn(payload, "error");
  const runId = textIn(payload, "run_id") || null;
  const sessionId = textIn(payload, "session_id");
  // An error without a text is one all the same (SSE-12).
  if (type === "error" || error !== "")
    return { type: "agent_error", runId, sessionId, error: error || "unknown error" };
  if (type !== "agent_finished" && type !== "re_authenticate") return null;
  return {
    type: "agent_notification",
    kind: type,
    runId: runId as AgentNotification["runId"],
    sessionId: sessionId as AgentNotification["sessionId"],
    sessionTitle: textIn(payload, "session_title"),
    providerId: textIn(payload, "provider_id") || null,
  };
}

function decodeMessageEvent(lifecycle: unknown, payload: unknown): MessageEvent | null {
  if (lifecycle !== "created" && lifecycle !== "updated" && lifecycle !== "deleted") return null;
  const message = decodeMessage(payload);
  if (message === null || !isJsonObject(payload)) return null;
  const runId = (textIn(payload, "run_id") || null) as MessageEvent["runId"];
  return { type: "message", lifecycle, runId, sessionId: message.sessionId, message };
}

function decodeGap(payload: unknown): Gap {
  const missed = isJsonObject(payload) ? payload["missed"] : undefined;
  return typeof missed === "number" ? { type: "gap", missed } : { type: "gap" };
}

/** What is no text counts as not there. */
function textIn(payload: JsonObject, key: string): string {
  const value = payload[key];
  return typeof value === "string" ? value : "";
}

const text = z.string();
const number = z.number();
const usage = z.object({
  inputTokens: number,
  cachedInputTokens: number,
  cacheWriteTokens: z.optional(number),
  outputTokens: number,
  reasoningTokens: number,
});

/** The fields of each event beside `type`, `runId` and `sessionId`. */
export const EVENT_FIELDS = {
  "run.started": z.object({ model: text }),
  "run.queued": z.object({ ahead: number }),
  "step.started": z.object({ n: number, model: text, messageId: text }),
  "text.delta": z.object({ messageId: text, text }),
  "reasoning.delta": z.object({ messageId: text, text }),
  "text.reset": z.object({ messageId: text }),
  "tool.started": z.object({ callId: text, name: text, input: text }),
  "tool.progress": z.object({ callId: text, bytes: number }),
  "tool.completed": z.object({
    callId: text,
    isError: z.boolean(),
    output: text,
    truncated: z.boolean(),
    ms: number,
  }),
  "tool.denied": z.object({
    callId: text,
    name: text,
    kind: denialKindSchema,
    rule: text,
    remedy: text,
  }),
  "check.started": z.object({ command: text, n: number }),
  "check.completed": z.object({
    exitCode: z.nullable(number),
    output: text,
    truncated: z.boolean(),
    ms: number,
  }),
  "message.completed": z.object({ messageId: text, text }),
  "step.completed": z.object({ usage, finishReason: text }),
  "summary.started": z.object({ messageId: text }),
  "summary.completed": z.object({ messageId: text, usage }),
  retry: z.object({
    attempt: number,
    max: number,
    waitMs: number,
    cause: text,
    httpStatus: z.nullable(number),
  }),
  warning: z.object({ code: text, message: text }),
} satisfies Record<RunEvent["type"], unknown>;

function decodeRunEvent(payload: unknown): RunEvent | null {
  const wire = toCamel(payload);
  if (!isJsonObject(wire) || typeof wire["sessionId"] !== "string") return null;
  const type = wire["type"];
  if (typeof type !== "string" || !Object.hasOwn(EVENT_FIELDS, type)) return null;
  const parsed = z.safeParse(EVENT_FIELDS[type as RunEvent["type"]], wire);
  if (!parsed.success) return null;
  const runId = typeof wire["runId"] === "string" ? wire["runId"] : null;
  return { ...parsed.data, type, runId, sessionId: wire["sessionId"] } as unknown as RunEvent;
}
