import * as z from "zod/mini";
import { isJsonObject, type JsonObject } from "../shared/json.ts";
import { LONGEST_TIMER_MS } from "../shared/duration.ts";
import { permissionOptionsSchema } from "./permission-options.ts";

const durationMs = z.int().check(z.nonnegative());
const count = z.int().check(z.nonnegative());

/** How much a model is to think, from nothing to most; not every model takes every level. */
export const REASONING_LEVELS = [
  "none",
  "minimal",
  "low",
  "medium",
  "high",
  "xhigh",
  "max",
] as const;
export type ReasoningLevel = (typeof REASONING_LEVELS)[number];

/** Bytes of a text for the system prompt: more is a mistake, and would leave no room for the work. */
export const MOST_SYSTEM_BYTES = 1024 * 1024;
const systemText = z.string().check(
  z.minLength(1),
  z.refine((text) => Buffer.byteLength(text) <= MOST_SYSTEM_BYTES, "is too long"),
);

/**
 * What one prompt asks of its run; it holds for that run and is never written to a configuration. The wire form is
 * snake_case. Durations are milliseconds.
 */
export const runOptionsSchema = z.object({
  /** `provider/model` or a bare model id. */
  model: z.optional(z.string()),
  /** The model that writes the summary of a conversation that fills the context; the run's own unless given. */
  smallModel: z.optional(z.string()),
  reasoningEffort: z.optional(z.enum(REASONING_LEVELS)),
  temperature: z.optional(z.number().check(z.nonnegative(), z.lte(2))),
  /** Instead of our own words in the system prompt. */
  system: z.optional(systemText),
  /** At the end of the system prompt. */
  appendSystem: z.optional(systemText),
  /** Behind the session's open prompts, or not at all while there are any. */
  ifBusy: z.optional(z.enum(["queue", "fail"])),
  /** From acceptance to the terminal event; 0 for no limit. */
  timeoutMs: z.optional(durationMs),
  /** Without any event from model or tool; 0 for no limit. */
  idleTimeoutMs: z.optional(durationMs),
  /** How long a cancelled run may wind down before it is settled without it. */
  killAfterMs: z.optional(durationMs),
  retries: z.optional(count),
  retryMaxWaitMs: z.optional(durationMs),
  /** Model calls that completed, summaries not counted; 0 for no limit, as in the next three. */
  maxTurns: z.optional(count),
  maxToolCalls: z.optional(count),
  /** Input and output of all model calls, summaries too. */
  maxTokens: z.optional(count),
  maxCostUsd: z.optional(z.number().check(z.nonnegative())),
  allowEmpty: z.optional(z.boolean()),
  allowBlocked: z.optional(z.boolean()),
  /** A model that cannot read every attachment is refused; without it the run goes on without them. */
  requireFiles: z.optional(z.boolean()),
  permissions: z.optional(permissionOptionsSchema),
  /** JSON Schema that the answer has to follow. */
  schema: z.optional(z.custom<JsonObject>(isJsonObject, "must be a JSON object")),
  /** Shell command that judges what was done: exit code 0 accepts it. */
  check: z.optional(z.string().check(z.minLength(1))),
  /** So often its complaints are given to the model; 2 unless told otherwise. */
  checkRetries: z.optional(count),
});

export type RunOptions = z.infer<typeof runOptionsSchema>;

/** Limits of a run after defaults. design.md section 2, rows "limits" and "provider". */
export interface RunLimits {
  readonly timeoutMs: number | null;
  readonly idleTimeoutMs: number;
  readonly killAfterMs: number;
  readonly retries: number;
  readonly retryMaxWaitMs: number;
  readonly maxTurns: number | null;
  readonly maxToolCalls: number | null;
  readonly maxTokens: number | null;
  readonly maxCostUsd: number | null;
}

export function limitsOf(options: RunOptions): RunLimits {
  const { timeoutMs = 0, idleTimeoutMs = 600_000, killAfterMs = 10_000 } = options;
  const timer = (ms: number): number => Math.min(ms, LONGEST_TIMER_MS);
  const most = (n: number | undefined): number | null => (n === undefined || n === 0 ? null : n);
  return {
    timeoutMs: timeoutMs === 0 ? null : timer(timeoutMs),
    idleTimeoutMs: idleTimeoutMs === 0 ? LONGEST_TIMER_MS : timer(idleTimeoutMs),
    killAfterMs: timer(killAfterMs),
    retries: options.retries ?? 4,
    retryMaxWaitMs: timer(options.retryMaxWaitMs ?? 60_000),
    maxTurns: most(options.maxTurns),
    maxToolCalls: most(options.maxToolCalls),
    maxTokens: most(options.maxTokens),
    maxCostUsd: most(options.maxCostUsd),
  };
}
