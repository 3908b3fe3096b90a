import * as z from "zod/mini";
import { LONGEST_TIMER_MS } from "../shared/duration.ts";

const durationMs = z.int().check(z.nonnegative());
const count = z.int().check(z.nonnegative());

/**
 * What one prompt asks of its run; it holds for that run and is never written to a configuration. The wire form is
 * snake_case. Durations are milliseconds.
 */
export const runOptionsSchema = z.object({
  /** `provider/model` or a bare model id. */
  model: z.optional(z.string()),
  /** From acceptance to the terminal event; 0 for no limit. */
  timeoutMs: z.optional(durationMs),
  /** Without any event from model or tool; 0 for no limit. */
  idleTimeoutMs: z.optional(durationMs),
  /** How long a cancelled run may wind down before it is settled without it. */
  killAfterMs: z.optional(durationMs),
  retries: z.optional(count),
  retryMaxWaitMs: z.optional(durationMs),
  allowEmpty: z.optional(z.boolean()),
  allowBlocked: z.optional(z.boolean()),
});

export type RunOptions = z.infer<typeof runOptionsSchema>;

/** Limits of a run after defaults. design.md section 2, rows "limits" and "provider". */
export interface RunLimits {
  readonly timeoutMs: number | null;
  readonly idleTimeoutMs: number;
  readonly killAfterMs: number;
  readonly retries: number;
  readonly retryMaxWaitMs: number;
}

export function limitsOf(options: RunOptions): RunLimits {
  const { timeoutMs = 0, idleTimeoutMs = 600_000, killAfterMs = 10_000 } = options;
  const timer = (ms: number): number => Math.min(ms, LONGEST_TIMER_MS);
  return {
    timeoutMs: timeoutMs === 0 ? null : timer(timeoutMs),
    idleTimeoutMs: idleTimeoutMs === 0 ? LONGEST_TIMER_MS : timer(idleTimeoutMs),
    killAfterMs: timer(killAfterMs),
    retries: options.retries ?? 4,
    retryMaxWaitMs: timer(options.retryMaxWaitMs ?? 60_000),
  };
}
