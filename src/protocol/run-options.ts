import * as z from "zod/mini";

const durationMs = z.int().check(z.nonnegative());
const count = z.int().check(z.nonnegative());

/**
 * What one prompt asks of its run; it holds for that run and is never written to a configuration. The wire form is
 * snake_case. Durations are milliseconds.
 */
export const runOptionsSchema = z.object({
  /** `provider/model` or a bare model id. */
  model: z.optional(z.string()),
  /** From acceptance to the terminal event. */
  timeoutMs: z.optional(durationMs),
  /** Without any event from model or tool. */
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
  return {
    timeoutMs: options.timeoutMs ?? null,
    idleTimeoutMs: options.idleTimeoutMs ?? 600_000,
    killAfterMs: options.killAfterMs ?? 10_000,
    retries: options.retries ?? 4,
    retryMaxWaitMs: options.retryMaxWaitMs ?? 60_000,
  };
}
