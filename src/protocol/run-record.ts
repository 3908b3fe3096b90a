import * as z from "zod/mini";
import type { Json } from "../shared/json.ts";
import { toCamel, toSnake } from "./case.ts";
import { ENDINGS, isReason, type Reason, type RunFailure } from "./ending.ts";
import type { MessageId, RunId, SessionId } from "./ids.ts";
import type { Usage } from "./usage.ts";

/** Where an accepted prompt stands. behaviour.md section 2.1. */
export type RunState = "reserved" | "queued" | "active" | "settled";

/** `denied`: by a rule, an answer to the model like any other. `unapproved`: nobody could approve it, which blocks the run. */
export type DenialKind = "denied" | "unapproved";

/** A tool call that was refused. */
export interface Denial {
  readonly callId: string;
  readonly name: string;
  readonly kind: DenialKind;
  readonly rule: string;
  readonly remedy: string;
}

export interface ModelUsage {
  /** `provider/model`. */
  readonly model: string;
  readonly usage: Usage;
}

/** How a run ended and what it left; written once, by the settlement. */
export interface RunOutcome {
  readonly reason: Reason;
  readonly failure: RunFailure | null;
  /** Text of the last assistant message. */
  readonly text: string;
  readonly messageId: MessageId | null;
  /** `text` is not a whole answer. */
  readonly partial: boolean;
  readonly usage: Usage;
  /** The same by model, as far as one was called; records of older versions have none. */
  readonly byModel?: readonly ModelUsage[];
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
  /** Model calls that completed. */
  readonly turns: number;
  readonly toolCalls: number;
  readonly models: readonly string[];
  readonly denials: readonly Denial[];
  readonly warnings: readonly string[];
  /** The answer of a run that was given a schema, when it follows it; `text` is its JSON then. */
  readonly structured?: Json;
  /** Of a cancelled run: the client that asked for it, when it said so. */
  readonly cancelledBy?: string;
}

/** One accepted prompt as it can be asked for at any time. Times are milliseconds since the epoch. */
export interface RunRecord {
  readonly runId: RunId;
  readonly sessionId: SessionId;
  readonly state: RunState;
  readonly prompt: string;
  readonly acceptedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Null until settled. */
  readonly outcome: RunOutcome | null;
}

/** Older records and servers know only the one kind. */
export const denialKindSchema = z._default(z.enum(["denied", "unapproved"]), "unapproved");

const usage = z.object({
  inputTokens: z.number(),
  cachedInputTokens: z.number(),
  cacheWriteTokens: z.optional(z.number()),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
});
const reason = z.string().check(z.refine(isReason, "unknown reason"));
const failureSchema = z.object({
  reason,
  message: z.string(),
  remedy: z.nullable(z.string()),
  httpStatus: z.nullable(z.number()),
  provider: z.nullable(z.string()),
});
const outcomeSchema = z.object({
  reason,
  failure: z.nullable(failureSchema),
  text: z.string(),
  messageId: z.nullable(z.string()),
  partial: z.boolean(),
  usage,
  byModel: z.optional(z.array(z.object({ model: z.string(), usage }))),
  costUsd: z.nullable(z.number()),
  turns: z.number(),
  toolCalls: z.number(),
  models: z.array(z.string()),
  denials: z.array(
    z.object({
      callId: z.string(),
      name: z.string(),
      kind: denialKindSchema,
      rule: z.string(),
      remedy: z.string(),
    }),
  ),
  warnings: z.array(z.string()),
  structured: z.optional(z.unknown()),
  cancelledBy: z.optional(z.string()),
});
const recordSchema = z.object({
  runId: z.string(),
  sessionId: z.string(),
  state: z.enum(["reserved", "queued", "active", "settled"]),
  prompt: z.string(),
  acceptedAt: z.number(),
  startedAt: z.nullable(z.number()),
  endedAt: z.nullable(z.number()),
  outcome: z.nullable(outcomeSchema),
});

/** The record on the wire; a settled one also names its status and exit code, for readers without our table. */
export function encodeRunRecord(record: RunRecord): Json {
  const wire = toSnake(record);
  if (record.outcome === null) return wire;
  const { status, exitCode, retryable } = ENDINGS[record.outcome.reason];
  return { ...(wire as Record<string, Json>), status, exit_code: exitCode, retryable };
}

/** Throws when the value is not a run record. */
export function decodeRunRecord(wire: unknown): RunRecord {
  return z.parse(recordSchema, toCamel(wire)) as unknown as RunRecord;
}

/** As the store keeps it. */
export const encodeOutcome = (outcome: RunOutcome): string => JSON.stringify(outcome);
export const decodeOutcome = (text: string): RunOutcome =>
  z.parse(outcomeSchema, JSON.parse(text)) as unknown as RunOutcome;

export const decodeFailure = (value: unknown): RunFailure | null => {
  const parsed = z.safeParse(failureSchema, value);
  return parsed.success ? (parsed.data as RunFailure) : null;
};
