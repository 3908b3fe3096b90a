import { ENDINGS, failure, type RunFailure } from "../protocol/ending.ts";
import { textOf, type FinishReason, type Part } from "../protocol/message.ts";
import type { Denial } from "../protocol/run-record.ts";
import { LOOP_LIMIT } from "./loop-guard.ts";
import type { StepResult } from "./model-step.ts";
import type { ToolCallPart } from "./tool-step.ts";
import type { TurnSetup } from "./turn-setup.ts";

/** How a turn ended that was not interrupted. */
export type Ended = "end_turn" | RunFailure;

/** What the last answer of a turn makes of it. */
export function endedWith(
  step: StepResult,
  { providerId: provider, allowEmpty }: Pick<TurnSetup, "providerId" | "allowEmpty">,
): Ended {
  switch (step.finish) {
    case "max_tokens":
      return failure("output_tokens", "the model was cut off at its output limit", {
        remedy: "raise max_tokens of the model in crush.json, or ask for less",
        provider,
      });
    case "content_filter":
      return failure("content_filter", "the provider withheld the answer (content filter)", {
        remedy: "rephrase the prompt, or use another model with -m",
        provider,
      });
    case "error":
      return failure("provider_error", "the model ended its answer with an error", { provider });
    case "end_turn":
    case "stop":
    case "tool_use":
    case "canceled":
    case "unknown":
      break;
  }
  if (textOf(step).trim() === "" && !allowEmpty)
    return failure("empty_output", "the model ended its turn without an answer", {
      remedy: "try again, or use --allow-empty if no answer is fine",
      provider,
    });
  return "end_turn";
}

/** The finish part of a message that was not finished. */
export interface FinishMark {
  readonly reason: FinishReason;
  readonly message: string;
  readonly details: string;
}

export function markOf(what: RunFailure): FinishMark {
  if (isCancel(what)) return { reason: "canceled", message: "User canceled request", details: "" };
  return { reason: "error", message: titleOf(what), details: what.message };
}

/** `provider_unavailable` is "Provider unavailable" (ERR-11). */
function titleOf({ reason }: RunFailure): string {
  if (reason === "internal") return "Run failed";
  const words = reason.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const isCancel = ({ reason }: RunFailure): boolean => ENDINGS[reason].status === "cancelled";

/** Finishes after which the calls of an answer cannot be trusted to be whole. */
export const CUT_OFF: ReadonlySet<FinishReason> = new Set([
  "max_tokens",
  "content_filter",
  "error",
]);

/** Whether the answer of the run is whole. */
export const hasAnswer = (ended: Ended): boolean =>
  ended === "end_turn" || ended.reason === "check_failed";

type ToolResultPart = Extract<Part, { type: "tool_result" }>;

/** A result for every call that has none (PER-11, INV-32). */
export function missingResults(
  parts: readonly Part[],
  done: readonly ToolResultPart[],
  content: string,
): ToolResultPart[] {
  const answered = new Set(done.map(({ toolCallId }) => toolCallId));
  return parts
    .filter((part) => part.type === "tool_call")
    .filter(({ id }) => !answered.has(id))
    .map(({ id, name }) => ({
      type: "tool_result",
      toolCallId: id,
      name,
      content,
      isError: true,
      metadata: "",
    }));
}

/** What a call that nobody could approve makes of the run. */
export const blockedBy = ({ name, rule, remedy }: Omit<Denial, "callId">): RunFailure =>
  failure("needs_approval", `${name} needed an approval that nobody could give (${rule})`, {
    remedy,
  });

export function loopFailure(calls: readonly ToolCallPart[]): RunFailure {
  const names = [...new Set(calls.map(({ name }) => name))].join(", ");
  const message = `the model made the same call ${LOOP_LIMIT} times in a row with the same result (${names})`;
  return failure("loop", message, { remedy: "rephrase the prompt, or use another model with -m" });
}
