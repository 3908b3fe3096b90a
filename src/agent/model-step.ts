import type { MessageId } from "../protocol/ids.ts";
import type { FinishReason, Message, Part } from "../protocol/message.ts";
import type { RunLimits } from "../protocol/run-options.ts";
import type { TurnEvent } from "../protocol/run-event.ts";
import type { Usage } from "../protocol/usage.ts";
import { ModelCallFailed, type LanguageModel, type ToolSpec } from "../provider/language-model.ts";
import type { Clock } from "../shared/clock.ts";
import type { JsonObject } from "../shared/json.ts";
import type { MessageSink } from "./message-sink.ts";

export interface StepPorts {
  readonly model: LanguageModel;
  readonly system: string;
  readonly tools: readonly ToolSpec[];
  readonly limits: Pick<RunLimits, "retries" | "retryMaxWaitMs">;
  readonly sink: MessageSink;
  readonly emit: (event: TurnEvent) => void;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface StepResult {
  readonly parts: readonly Part[];
  readonly finish: FinishReason;
  readonly usage: Usage;
}

/** What a step said before it ended; kept by the caller so that an abort or a failure does not lose it. */
export interface StepDraft {
  parts: Part[];
}

/**
 * One model call with its retries: the only retry layer there is. Each failed attempt is withdrawn (`text.reset`) and each wait is
 * an event. Throws `ModelCallFailed` after the last attempt and `signal.reason` when aborted.
 */
export async function callModel(
  ports: StepPorts,
  history: readonly Message[],
  messageId: MessageId,
  draft: StepDraft,
  signal: AbortSignal,
): Promise<StepResult> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted(); // the last call may have taken its time to close
    try {
      return await attemptCall(ports, history, messageId, draft, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ModelCallFailed)) throw error;
      const waitMs = waitBefore(attempt, error, ports);
      if (waitMs === null) throw lastFailure(error, ports);
      withdraw(ports, messageId, draft);
      const { message, httpStatus } = error.failure;
      const { retries: max } = ports.limits;
      ports.emit({ type: "retry", attempt, max, waitMs, cause: message, httpStatus });
      await ports.clock.sleep(waitMs, signal);
    }
  }
}

/** What a failed attempt said is unsaid. */
export function withdraw(
  { sink, emit }: Pick<StepPorts, "sink" | "emit">,
  messageId: MessageId,
  draft: StepDraft,
): void {
  if (draft.parts.length === 0) return;
  draft.parts = [];
  sink.reset(messageId);
  emit({ type: "text.reset", messageId });
}

async function attemptCall(
  ports: StepPorts,
  history: readonly Message[],
  messageId: MessageId,
  draft: StepDraft,
  signal: AbortSignal,
): Promise<StepResult> {
  const { model, system, tools } = ports;
  const now = (): number => Math.floor(ports.clock.now() / 1000);
  for await (const part of model.stream({ system, messages: history, tools }, signal)) {
    switch (part.type) {
      case "text":
        appendText(draft, part.text, part.providerMetadata);
        ports.sink.append(messageId, "text", part.text);
        break;
      case "reasoning":
        appendReasoning(draft, part.text, now());
        ports.sink.append(messageId, "reasoning", part.text);
        break;
      case "reasoning_end":
        closeReasoning(draft, now(), part.providerMetadata);
        break;
      case "tool_call": {
        const { id, name, input, providerMetadata } = part;
        const metadata = providerMetadata === undefined ? {} : { providerMetadata };
        draft.parts.push({ type: "tool_call", id, name, input, finished: true, ...metadata });
        break;
      }
      case "finish":
        return { parts: draft.parts, finish: part.reason, usage: part.usage };
    }
  }
  throw new Error(`the model ${model.ref} ended its stream without a finish`);
}

/** Milliseconds until the next attempt; null when there is none. */
function waitBefore(attempt: number, error: ModelCallFailed, ports: StepPorts): number | null {
  const { retries, retryMaxWaitMs } = ports.limits;
  if (!error.retryable || attempt > retries) return null;
  if (error.retryAfterMs !== null)
    return error.retryAfterMs > retryMaxWaitMs ? null : error.retryAfterMs;
  const backoff = 500 * 2 ** (attempt - 1) * (0.75 + ports.random() / 2);
  return Math.round(Math.min(backoff, retryMaxWaitMs));
}

/** The failure that ends the step; one that asked for a longer wait than we make says so. */
function lastFailure(error: ModelCallFailed, { limits }: StepPorts): ModelCallFailed {
  const { failure, retryable, retryAfterMs } = error;
  if (!retryable || retryAfterMs === null || retryAfterMs <= limits.retryMaxWaitMs) return error;
  const wait = `${Math.ceil(retryAfterMs / 1000)} s`;
  const remedy = `the provider asks to wait ${wait}: try again then, or raise --retry-max-wait`;
  return new ModelCallFailed({ ...failure, remedy }, { retryable, retryAfterMs, cause: error });
}

function appendText(draft: StepDraft, text: string, metadata: JsonObject | undefined): void {
  const last = draft.parts.at(-1);
  const providerMetadata = metadata ?? (last?.type === "text" ? last.providerMetadata : undefined);
  const extra = providerMetadata === undefined ? {} : { providerMetadata };
  if (last?.type === "text")
    draft.parts[draft.parts.length - 1] = { type: "text", text: last.text + text, ...extra };
  else draft.parts.push({ type: "text", text, ...extra });
}

function appendReasoning(draft: StepDraft, text: string, now: number): void {
  const last = draft.parts.at(-1);
  if (last?.type === "reasoning" && last.finishedAt === undefined)
    draft.parts[draft.parts.length - 1] = { ...last, thinking: last.thinking + text };
  else draft.parts.push({ type: "reasoning", thinking: text, startedAt: now });
}

function closeReasoning(draft: StepDraft, now: number, metadata: JsonObject | undefined): void {
  const extra = metadata === undefined ? {} : { providerMetadata: metadata };
  const last = draft.parts.at(-1);
  if (last?.type === "reasoning" && last.finishedAt === undefined)
    draft.parts[draft.parts.length - 1] = { ...last, finishedAt: now, ...extra };
  // A block without text (encrypted reasoning) still has to be replayed.
  else if (metadata !== undefined)
    draft.parts.push({
      type: "reasoning",
      thinking: "",
      startedAt: now,
      finishedAt: now,
      ...extra,
    });
}
