import { failure, type Reason } from "../../src/protocol/ending.ts";
import type { FinishReason } from "../../src/protocol/message.ts";
import { NO_USAGE, type Usage } from "../../src/protocol/usage.ts";
import {
  ModelCallFailed,
  type LanguageModel,
  type ModelCall,
  type StepPart,
} from "../../src/provider/language-model.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";

/** One model call: what it streams. */
export type ModelStep = (call: ModelCall, signal: AbortSignal) => AsyncIterable<StepPart>;

export interface FakeModel extends LanguageModel {
  /** Every call it got, with its messages as they were then. */
  readonly calls: ModelCall[];
}

/** A model that plays one step per call; beyond the last it repeats that one. */
export function fakeModel(...steps: ModelStep[]): FakeModel {
  const calls: ModelCall[] = [];
  return {
    ref: "fake/one",
    calls,
    stream: (call, signal) => {
      const step = steps[Math.min(calls.length, steps.length - 1)] ?? says("ok");
      calls.push({ ...call, messages: [...call.messages] });
      return step(call, signal);
    },
  };
}

export const finish = (
  reason: FinishReason = "end_turn",
  usage: Partial<Usage> = {},
): StepPart => ({ type: "finish", reason, usage: { ...NO_USAGE, ...usage } });

/** An answer of text deltas. */
export const says = (...deltas: string[]): ModelStep =>
  parts(...deltas.map((text): StepPart => ({ type: "text", text })), finish());

export const parts = (...all: StepPart[]): ModelStep =>
  async function* streamed(_call, signal) {
    for (const part of all) {
      signal.throwIfAborted();
      yield part;
    }
  };

export interface FakeCall {
  readonly id?: string;
  readonly name: string;
  readonly input?: JsonObject | string;
}

export const toolCall = ({ id, name, input }: FakeCall, n = 0): StepPart => ({
  type: "tool_call",
  id: id ?? `call-${n}`,
  name,
  input: typeof input === "string" ? input : JSON.stringify(input ?? {}),
});

/** A step that calls tools and nothing else. */
export const callsTools = (...calls: FakeCall[]): ModelStep =>
  parts(...calls.map(toolCall), finish("tool_use"));

export interface FakeFailure {
  readonly reason?: Exclude<Reason, "end_turn">;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly httpStatus?: number;
  /** Streamed before it fails. */
  readonly after?: readonly StepPart[];
}

export const fails = (what: FakeFailure = {}): ModelStep =>
  async function* failed() {
    yield* what.after ?? [];
    const reason = what.reason ?? "provider_error";
    const { httpStatus = null, retryAfterMs = null, retryable = false } = what;
    throw new ModelCallFailed(
      failure(reason, `fake: ${reason}`, { httpStatus, provider: "fake" }),
      {
        retryable,
        retryAfterMs,
      },
    );
  };

/** Streams some parts and then nothing, until it is aborted. */
export const stalls = (...before: StepPart[]): ModelStep =>
  async function* stalled(_call, signal) {
    yield* before;
    await orAborted(new Promise<never>(() => {}), signal);
  };

/** The same, and an abort is nothing to it. */
export const hangs = (...before: StepPart[]): ModelStep =>
  async function* hung() {
    yield* before;
    await new Promise<never>(() => {});
  };

/** Tells when it is called, then waits for `open`, then goes on with `step`; an abort ends the wait. */
export function gated(step: ModelStep): {
  readonly step: ModelStep;
  readonly entered: Promise<void>;
  open(): void;
} {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let enter = (): void => {};
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  return {
    entered,
    open: () => open(),
    step: async function* waiting(call, signal) {
      enter();
      await orAborted(gate, signal);
      yield* step(call, signal);
    },
  };
}
