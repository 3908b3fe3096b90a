import * as fc from "fast-check";
import { ENDINGS, type Reason, type RunFailure } from "../../src/protocol/ending.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import type { Message, Part } from "../../src/protocol/message.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { TurnEvent } from "../../src/protocol/run-event.ts";
import type { RunOutcome, RunRecord } from "../../src/protocol/run-record.ts";
import type { Usage } from "../../src/protocol/usage.ts";
import type { Json } from "../../src/shared/json.ts";

/** Values of the protocol for property tests: every text that a model, a tool or a person might have written. */
const text = fc.string({ unit: "binary" });
const name = fc.string({ minLength: 1 });
const runId = name as fc.Arbitrary<RunId>;
const sessionId = name as fc.Arbitrary<SessionId>;
const messageId = name as fc.Arbitrary<MessageId>;
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(value, { nil: null });

const reason = fc.constantFrom(...(Object.keys(ENDINGS) as Reason[]));
const failure: fc.Arbitrary<RunFailure> = fc.record({
  reason: reason.filter((one) => one !== "end_turn"),
  message: text,
  remedy: orNull(text),
  httpStatus: orNull(fc.nat(599)),
  provider: orNull(name),
});

const denialKind = fc.constantFrom("denied" as const, "unapproved" as const);
const usage: fc.Arbitrary<Usage> = fc.record({
  inputTokens: fc.nat(),
  cachedInputTokens: fc.nat(),
  outputTokens: fc.nat(),
  reasoningTokens: fc.nat(),
});

const turnEvent: fc.Arbitrary<TurnEvent> = fc.oneof(
  fc.record({ type: fc.constant("run.started" as const), model: name }),
  fc.record({ type: fc.constant("run.queued" as const), ahead: fc.nat() }),
  fc.record({ type: fc.constant("step.started" as const), n: fc.nat(), model: name, messageId }),
  fc.record({ type: fc.constant("text.delta" as const), messageId, text }),
  fc.record({ type: fc.constant("reasoning.delta" as const), messageId, text }),
  fc.record({ type: fc.constant("text.reset" as const), messageId }),
  fc.record({ type: fc.constant("tool.started" as const), callId: name, name, input: text }),
  fc.record({ type: fc.constant("tool.progress" as const), callId: name, bytes: fc.nat() }),
  fc.record({
    type: fc.constant("tool.completed" as const),
    callId: name,
    isError: fc.boolean(),
    output: text,
    truncated: fc.boolean(),
    ms: fc.nat(),
  }),
  fc.record({
    type: fc.constant("tool.denied" as const),
    kind: denialKind,
    callId: name,
    name,
    rule: text,
    remedy: text,
  }),
  fc.record({ type: fc.constant("check.started" as const), command: text, n: fc.nat() }),
  fc.record({
    type: fc.constant("check.completed" as const),
    exitCode: orNull(fc.nat(255)),
    output: text,
    truncated: fc.boolean(),
    ms: fc.nat(),
  }),
  fc.record({ type: fc.constant("message.completed" as const), messageId, text }),
  fc.record({
    type: fc.constant("step.completed" as const),
    usage,
    finishReason: fc.constantFrom("end_turn" as const, "tool_use" as const, "max_tokens" as const),
  }),
  fc.record({ type: fc.constant("summary.started" as const), messageId }),
  fc.record({ type: fc.constant("summary.completed" as const), messageId, usage }),
  fc.record({
    type: fc.constant("retry" as const),
    attempt: fc.nat(),
    max: fc.nat(),
    waitMs: fc.nat(),
    cause: text,
    httpStatus: orNull(fc.nat(599)),
  }),
  fc.record({ type: fc.constant("warning" as const), code: name, message: text }),
);

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ type: fc.constant("text" as const), text }),
  fc.record(
    {
      type: fc.constant("reasoning" as const),
      thinking: text,
      startedAt: fc.nat(),
      finishedAt: fc.nat(),
    },
    { requiredKeys: ["type", "thinking"] },
  ),
  fc.record({
    type: fc.constant("tool_call" as const),
    id: name,
    name,
    input: text,
    finished: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("tool_result" as const),
    toolCallId: name,
    name,
    content: text,
    isError: fc.boolean(),
    metadata: text,
  }),
  fc.record({ type: fc.constant("binary" as const), path: text, mimeType: text, data: text }),
  fc.record(
    {
      type: fc.constant("finish" as const),
      reason: fc.constantFrom("end_turn" as const, "canceled" as const, "error" as const),
      time: fc.nat(),
      message: text,
      details: text,
    },
    { requiredKeys: ["type", "reason", "time"] },
  ),
);

/** A message as clients see it: without what only its provider may see again. */
const message: fc.Arbitrary<Message> = fc
  .record({
    id: messageId,
    sessionId,
    role: fc.constantFrom("user" as const, "assistant" as const, "tool" as const),
    parts: fc.array(part),
    model: text,
    provider: text,
    createdAt: fc.nat(),
    updatedAt: fc.nat(),
    isSummary: fc.boolean(),
  })
  .map(({ isSummary, ...rest }) => (isSummary ? { ...rest, isSummary } : rest));

/** Every event that our wire carries. */
export const wireEvent: fc.Arbitrary<WireEvent> = fc.oneof(
  fc
    .tuple(turnEvent, orNull(runId), sessionId)
    .map(([event, run, session]) => ({ ...event, runId: run, sessionId: session })),
  fc.record({
    type: fc.constant("run_complete" as const),
    runId: orNull(runId),
    sessionId,
    messageId: orNull(messageId),
    text,
    cancelled: fc.boolean(),
    failure: orNull(failure),
  }),
  fc.record({
    type: fc.constant("agent_error" as const),
    runId: orNull(name),
    sessionId,
    error: name,
  }),
  fc.record({
    type: fc.constant("agent_notification" as const),
    kind: fc.constantFrom("agent_finished" as const, "re_authenticate" as const),
    runId: orNull(runId),
    sessionId,
    sessionTitle: text,
    providerId: orNull(name),
  }),
  fc
    .tuple(
      fc.constantFrom("created" as const, "updated" as const, "deleted" as const),
      orNull(runId),
      message,
    )
    .map(([lifecycle, run, whole]) => ({
      type: "message" as const,
      lifecycle,
      runId: run,
      sessionId: whole.sessionId,
      message: whole,
    })),
  fc.record({ type: fc.constant("gap" as const), missed: fc.nat() }, { requiredKeys: ["type"] }),
);

/** What a user's schema asks for: any value, under names that are not ours. */
const answer: fc.Arbitrary<Json> = fc.oneof(
  fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value))),
  fc.dictionary(fc.constantFrom("runId", "run_id", "aB_c"), fc.integer(), {
    noNullPrototype: true,
  }),
);

const inWords: fc.Arbitrary<RunOutcome> = fc.record({
  reason,
  failure: orNull(failure),
  text,
  messageId: orNull(messageId),
  partial: fc.boolean(),
  usage,
  costUsd: orNull(fc.nat().map((millionths) => millionths / 1e6)),
  turns: fc.nat(),
  toolCalls: fc.nat(),
  models: fc.array(name),
  denials: fc.array(fc.record({ callId: name, name, kind: denialKind, rule: text, remedy: text })),
  warnings: fc.array(text),
});
export const outcome: fc.Arbitrary<RunOutcome> = fc.oneof(
  inWords,
  fc.tuple(inWords, answer).map(([one, structured]) => ({ ...one, structured })),
);

export const runRecord: fc.Arbitrary<RunRecord> = fc
  .tuple(
    fc.record({
      runId,
      sessionId,
      prompt: text,
      acceptedAt: fc.nat(),
      startedAt: orNull(fc.nat()),
      endedAt: orNull(fc.nat()),
    }),
    fc.constantFrom("reserved" as const, "queued" as const, "active" as const),
    orNull(outcome),
  )
  .map(([record, open, ended]) => ({
    ...record,
    state: ended === null ? open : ("settled" as const),
    outcome: ended,
  }));
