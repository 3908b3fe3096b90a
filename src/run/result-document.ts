import { ENDINGS, type Reason, type RunFailure } from "../protocol/ending.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import { remedyOf } from "../protocol/remedy.ts";
import type { RunOutcome, RunRecord } from "../protocol/run-record.ts";
import { NO_USAGE, type Usage } from "../protocol/usage.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Heard } from "./heard.ts";

/** Grows only with a change that a reader of the documents would have to follow. */
export const SCHEMA_VERSION = 1;

/** What is known of a run beside its events; null where it did not come that far. */
export interface RunFacts {
  readonly cwd: string | null;
  readonly sessionId: SessionId | null;
  readonly runId: RunId | null;
  readonly prompt: string | null;
  /** The words of the command line. */
  readonly words: string | null;
  readonly configSources: readonly string[];
  /** Of the configuration. */
  readonly warnings: readonly string[];
  readonly record: RunRecord | null;
  /** Of a run that was only tried: what it would have sent, told in place of a result. */
  readonly tried: JsonObject | null;
}

export const NO_FACTS: RunFacts = {
  cwd: null,
  sessionId: null,
  runId: null,
  prompt: null,
  words: null,
  configSources: [],
  warnings: [],
  record: null,
  tried: null,
};

export interface ResultEnd {
  readonly reason: Reason;
  readonly failure: RunFailure | null;
  /** Of the process; not always that of the table: a signal has its own. */
  readonly exitCode: number;
  /** Milliseconds since the start of the process. */
  readonly endedAfterMs: number;
}

/** How a command ended, as programs read it: every field is always there (docs/output.md). */
export type ResultDocument = ReturnType<typeof resultDocument>;

export function resultDocument(facts: RunFacts, heard: Heard, end: ResultEnd) {
  const { status, retryable } = ENDINGS[end.reason];
  const outcome = facts.record?.outcome ?? null;
  const models = outcome?.models ?? (heard.model === null ? [] : [heard.model]);
  const usage = outcome?.usage ?? NO_USAGE;
  return {
    schema_version: SCHEMA_VERSION,
    type: "run.result",
    status,
    exit_code: end.exitCode,
    reason: end.reason,
    retryable,
    partial: outcome?.partial ?? heard.text !== "",
    text: outcome?.text ?? heard.text,
    structured: outcome?.structured ?? null,
    error: end.failure === null ? null : errorOf(end.failure),
    run_id: facts.runId,
    session_id: facts.sessionId,
    cwd: facts.cwd,
    models,
    usage: {
      ...tokens(usage),
      by_model: byModel(outcome),
    },
    cost_usd: outcome?.costUsd ?? null,
    turns: outcome?.turns ?? 0,
    tool_calls: outcome?.toolCalls ?? 0,
    denials: (outcome?.denials ?? []).map(({ callId, ...more }) => ({ call_id: callId, ...more })),
    warnings: [...facts.warnings, ...(outcome?.warnings ?? [])],
    config_sources: facts.configSources,
    timings_ms: {
      first_request: rounded(heard.firstRequestAfterMs),
      first_token: rounded(heard.firstTokenAfterMs),
      end: Math.round(end.endedAfterMs),
    },
  } satisfies JsonObject;
}

/** A record of an older version tells the models, but only one can be told from the other. */
function byModel(outcome: RunOutcome | null): JsonObject {
  if (outcome === null) return {};
  const [only, ...more] = outcome.models;
  const known =
    more.length > 0 || only === undefined ? [] : [{ model: only, usage: outcome.usage }];
  const each = outcome.byModel ?? known;
  return Object.fromEntries(each.map(({ model, usage }) => [model, tokens(usage)]));
}

function errorOf(what: RunFailure) {
  const { reason, message, httpStatus, provider } = what;
  return { code: reason, message, remedy: remedyOf(what), http_status: httpStatus, provider };
}

const tokens = (usage: Usage) => ({
  input_tokens: usage.inputTokens,
  cached_input_tokens: usage.cachedInputTokens,
  output_tokens: usage.outputTokens,
  reasoning_tokens: usage.reasoningTokens,
});

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
