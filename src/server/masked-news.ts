import type { RunFailure } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import type { Message, Part } from "../protocol/message.ts";
import type { Denial, RunOutcome, RunRecord } from "../protocol/run-record.ts";
import { isJsonObject, type Json } from "../shared/json.ts";
import type { Store } from "../store/store.ts";

/** Blots the secrets of a configuration out of a text. */
type Blot = (text: string) => string;

/**
 * The store, into which the outcome of a run goes without secrets. The conversation goes in as it is: a key in a file
 * that the model reads and writes again must not become stars.
 */
export function maskedStore(store: Store, mask: Blot): Store {
  const { runs, messages } = store;
  return {
    ...store,
    runs: {
      ...runs,
      settle: (seq, outcome, now) => runs.settle(seq, maskedOutcome(outcome, mask), now),
    },
    messages: {
      ...messages,
      finish: (id, parts, now) =>
        messages.finish(
          id,
          parts.map((part) => maskedPart(part, mask)),
          now,
        ),
    },
  };
}

/** What is told about a run, without secrets. Streamed text is left to `maskedDeltas`. */
export function maskedEvent(event: WireEvent, mask: Blot): WireEvent {
  switch (event.type) {
    case "run_complete":
      return { ...event, text: mask(event.text), failure: maskedFailure(event.failure, mask) };
    case "message.completed":
      return { ...event, text: mask(event.text) };
    case "agent_error":
      return { ...event, error: mask(event.error) };
    case "tool.started":
      return { ...event, input: mask(event.input) };
    case "tool.completed":
      return { ...event, output: mask(event.output) };
    case "check.started":
      return { ...event, command: mask(event.command) };
    case "check.completed":
      return { ...event, output: mask(event.output) };
    case "tool.denied":
      return { ...event, ...maskedDenial(event, mask) };
    case "retry":
      return { ...event, cause: mask(event.cause) };
    case "warning":
      return { ...event, message: mask(event.message) };
    case "message":
      return { ...event, message: maskedMessage(event.message, mask) };
    default:
      return event;
  }
}

/** A message of the conversation as clients see it: without secrets, like the events of the run. */
export const maskedMessage = (message: Message, mask: Blot): Message => ({
  ...message,
  parts: message.parts.map((part) => shownPart(part, mask)),
});

export const maskedRecord = (record: RunRecord, mask: Blot): RunRecord => ({
  ...record,
  prompt: mask(record.prompt),
  outcome: record.outcome && maskedOutcome(record.outcome, mask),
});

const maskedOutcome = (outcome: RunOutcome, mask: Blot): RunOutcome => ({
  ...outcome,
  ...maskedAnswer(outcome, mask),
  failure: maskedFailure(outcome.failure, mask),
  denials: outcome.denials.map((denial) => ({ ...denial, ...maskedDenial(denial, mask) })),
  warnings: outcome.warnings.map(mask),
});

/** The text of a structured answer stays JSON, whatever the secret looks like. */
function maskedAnswer(
  { text, structured }: RunOutcome,
  mask: Blot,
): Pick<RunOutcome, "text" | "structured"> {
  if (structured === undefined) return { text: mask(text) };
  const shown = maskedJson(structured, mask);
  return { text: JSON.stringify(shown), structured: shown };
}

function maskedJson(value: Json, mask: Blot): Json {
  if (typeof value === "string") return mask(value);
  if (typeof value === "number") return mask(`${value}`) === `${value}` ? value : "***";
  if (Array.isArray(value)) return value.map((one) => maskedJson(one, mask));
  if (!isJsonObject(value)) return value;
  // An assignment would lose what is called `__proto__`.
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [mask(name), one && maskedJson(one, mask)]),
  );
}

export const maskedFailure = <T extends RunFailure | null>(what: T, mask: Blot): T =>
  what && { ...what, message: mask(what.message), remedy: what.remedy && mask(what.remedy) };

const maskedDenial = (
  { rule, remedy }: Pick<Denial, "rule" | "remedy">,
  mask: Blot,
): Pick<Denial, "rule" | "remedy"> => ({ rule: mask(rule), remedy: mask(remedy) });

const maskedPart = (part: Part, mask: Blot): Part =>
  part.type === "finish" && part.details !== undefined
    ? { ...part, details: mask(part.details) }
    : part;

function shownPart(part: Part, mask: Blot): Part {
  if (part.type === "text") return { ...part, text: mask(part.text) };
  if (part.type === "reasoning") return { ...part, thinking: mask(part.thinking) };
  if (part.type === "tool_call") return { ...part, input: mask(part.input) };
  if (part.type === "tool_result") {
    const { content, metadata } = part;
    return { ...part, content: mask(content), metadata: mask(metadata) };
  }
  return maskedPart(part, mask);
}
