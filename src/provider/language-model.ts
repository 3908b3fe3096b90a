import type { JsonObject } from "../shared/json.ts";
import type { FinishReason, Message } from "../protocol/message.ts";
import { RunFailed, type RunFailure } from "../protocol/ending.ts";
import type { Usage } from "../protocol/usage.ts";

/** A tool as the model sees it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema (draft 7) of the input object. */
  readonly inputSchema: JsonObject;
}

/** One model call: the whole conversation so far. */
export interface ModelCall {
  readonly system: string;
  /** User, assistant and tool messages in order; `finish` parts are ignored. */
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
}

export type StepPart =
  | { readonly type: "text"; readonly text: string; readonly providerMetadata?: JsonObject }
  | { readonly type: "reasoning"; readonly text: string }
  /** Closes one block of reasoning; carries what the provider wants to see again. */
  | { readonly type: "reasoning_end"; readonly providerMetadata?: JsonObject }
  | {
      readonly type: "tool_call";
      readonly id: string;
      readonly name: string;
      /** A JSON document as the model wrote it. */
      readonly input: string;
      readonly providerMetadata?: JsonObject;
    }
  | { readonly type: "finish"; readonly reason: FinishReason; readonly usage: Usage };

/**
 * One model behind one API. `stream` yields parts and ends after exactly one `finish`.
 * Throws `ModelCallFailed` for every failure of the call, and `signal.reason` when aborted.
 * A stream that ends without its finish marker is a failure. Never retries.
 */
export interface LanguageModel {
  /** `provider/model`. */
  readonly ref: string;
  stream(call: ModelCall, signal: AbortSignal): AsyncIterable<StepPart>;
}

/** A failed model call, classified once, here. */
export class ModelCallFailed extends RunFailed {
  /** Whether the same call may be made again (design.md section 2, row "provider"). */
  readonly retryable: boolean;
  /** From `Retry-After` or `retry-after-ms`; null when the provider did not say. */
  readonly retryAfterMs: number | null;
  constructor(
    what: RunFailure,
    more: { retryable: boolean; retryAfterMs?: number | null; cause?: unknown },
  ) {
    super(what, { cause: more.cause });
    this.name = "ModelCallFailed";
    this.retryable = more.retryable;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}
