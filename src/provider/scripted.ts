import { readFile } from "node:fs/promises";
import * as z from "zod/mini";
import type { SelectedModel } from "../config/config.ts";
import { failure } from "../protocol/ending.ts";
import { NO_USAGE } from "../protocol/usage.ts";
import { systemClock } from "../shared/clock.ts";
import { ModelCallFailed } from "./language-model.ts";
import type { LanguageModel, StepPart } from "./language-model.ts";

const PART = z.union([
  z.object({ text: z.string() }),
  z.object({ reasoning: z.string() }),
  z.object({ tool: z.string(), input: z.unknown(), id: z.optional(z.string()) }),
  z.object({ wait_ms: z.number() }),
  z.object({
    fail: z.enum(["provider_unavailable", "provider_error", "auth_refused", "context"]),
    message: z.optional(z.string()),
    retry_after_ms: z.optional(z.number()),
  }),
  z.object({ finish: z.enum(["end_turn", "max_tokens", "content_filter", "unknown"]) }),
]);

const SCRIPT = z.object({ steps: z.array(z.array(PART)) });

/**
 * A model that plays the file named by `provider_options.script`: `{"steps": [[part, …], …]}`, one step per call, counted
 * by the answers and failures so far; beyond the last step it repeats that one. Throws when the file is unusable.
 */
export async function openScriptedModel(selected: SelectedModel): Promise<LanguageModel> {
  const { provider, model } = selected;
  const named = selected.providerOptions["script"] ?? provider.providerOptions["script"];
  const path = typeof named === "string" ? named : "provider_options.script";
  const text = await readFile(path, "utf8").catch(() => null);
  const script = text === null ? null : SCRIPT.safeParse(parsed(text));
  if (script?.success !== true || script.data.steps.length === 0)
    throw new ModelCallFailed(
      failure("invalid_config", `${provider.id}: ${path} is not a script of steps`, {
        remedy: "Set provider_options.script to a JSON file with steps",
        provider: provider.id,
      }),
      { retryable: false },
    );
  const { steps } = script.data;
  let calls = 0;
  return {
    ref: `${provider.id}/${model.id}`,
    stream: (_call, signal) => {
      const n = Math.min(calls, steps.length - 1);
      calls += 1;
      return play(steps[n] ?? [], { provider: provider.id, n, signal });
    },
  };
}

interface Playing {
  readonly provider: string;
  readonly n: number;
  readonly signal: AbortSignal;
}

async function* play(
  step: readonly z.infer<typeof PART>[],
  { provider, n, signal }: Playing,
): AsyncGenerator<StepPart> {
  let reason: "end_turn" | "tool_use" | "max_tokens" | "content_filter" | "unknown" = "end_turn";
  for (const [index, part] of step.entries()) {
    signal.throwIfAborted();
    if ("text" in part) yield { type: "text", text: part.text };
    else if ("reasoning" in part) {
      yield { type: "reasoning", text: part.reasoning };
      yield { type: "reasoning_end" };
    } else if ("tool" in part) {
      reason = "tool_use";
      const input = typeof part.input === "string" ? part.input : JSON.stringify(part.input ?? {});
      yield { type: "tool_call", id: part.id ?? `call-${n}-${index}`, name: part.tool, input };
    } else if ("wait_ms" in part) await systemClock.sleep(part.wait_ms, signal);
    else if ("finish" in part) reason = part.finish;
    else
      throw new ModelCallFailed(
        failure(part.fail, `${provider}: ${part.message ?? "as the script says"}`, { provider }),
        {
          retryable: part.fail === "provider_unavailable",
          retryAfterMs: part.retry_after_ms ?? null,
        },
      );
  }
  signal.throwIfAborted();
  yield { type: "finish", reason, usage: NO_USAGE };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
