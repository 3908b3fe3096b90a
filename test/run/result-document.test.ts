import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRunRecord, encodeRunRecord } from "../../src/protocol/run-record.ts";
import { ENDINGS, failure } from "../../src/protocol/ending.ts";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { NOTHING_HEARD } from "../../src/run/heard.ts";
import { NO_FACTS, resultDocument, type RunFacts } from "../../src/run/result-document.ts";
import { outcome, runRecord } from "../support/arbitrary.ts";
import { settledRecord } from "../support/run-record.ts";

const runId = "run" as RunId;
const sessionId = "s" as SessionId;

const known: RunFacts = {
  cwd: "/work",
  sessionId,
  runId,
  words: null,
  prompt: "hi",
  configSources: ["/home/crush.json"],
  warnings: ["a hook is not carried out"],
  record: null,
  tried: null,
};

/** As design and documentation promise them, in their order. */
const FIELDS = [
  "schema_version",
  "type",
  "status",
  "exit_code",
  "reason",
  "retryable",
  "partial",
  "text",
  "structured",
  "error",
  "run_id",
  "session_id",
  "cwd",
  "models",
  "usage",
  "cost_usd",
  "turns",
  "tool_calls",
  "denials",
  "warnings",
  "config_sources",
  "timings_ms",
];

test("the document of a completed run tells its record, its ids and its times", () => {
  const usage = {
    inputTokens: 11,
    cachedInputTokens: 3,
    outputTokens: 7,
    reasoningTokens: 2,
  };
  const denial = {
    callId: "c1",
    name: "view",
    kind: "unapproved",
    rule: "outside",
    remedy: "allow it",
  } as const;
  const told = { usage, costUsd: 0.25, toolCalls: 1, denials: [denial], warnings: ["an old key"] };
  const heard = { ...NOTHING_HEARD, firstRequestAfterMs: 100.4, firstTokenAfterMs: 200.6 };
  const end = { reason: "end_turn", failure: null, exitCode: 0, endedAfterMs: 300 } as const;
  const tokens = {
    input_tokens: 11,
    cached_input_tokens: 3,
    output_tokens: 7,
    reasoning_tokens: 2,
  };
  const record = settledRecord(runId, told);
  expect(resultDocument({ ...known, record }, heard, end)).toEqual({
    schema_version: 1,
    type: "run.result",
    status: "completed",
    exit_code: 0,
    reason: "end_turn",
    retryable: false,
    partial: false,
    text: "ok",
    structured: null,
    error: null,
    run_id: "run",
    session_id: "s",
    cwd: "/work",
    models: ["fake/one"],
    usage: { ...tokens, by_model: { "fake/one": tokens } },
    cost_usd: 0.25,
    turns: 1,
    tool_calls: 1,
    denials: [
      { call_id: "c1", name: "view", kind: "unapproved", rule: "outside", remedy: "allow it" },
    ],
    warnings: ["a hook is not carried out", "an old key"],
    config_sources: ["/home/crush.json"],
    timings_ms: { first_request: 100, first_token: 201, end: 300 },
  });
});

test("what went wrong is an object with the reason as its code and a remedy in any case", () => {
  const what = failure("auth_refused", "HTTP 401", { httpStatus: 401, provider: "fake" });
  const end = { reason: "auth_refused", failure: what, exitCode: 4, endedAfterMs: 1 } as const;
  expect(resultDocument(known, NOTHING_HEARD, end)).toMatchObject({
    status: "failed",
    exit_code: 4,
    error: {
      code: "auth_refused",
      message: "HTTP 401",
      remedy: "check the provider's key and what it may do",
      http_status: 401,
      provider: "fake",
    },
  });
});

test("without a record the text is what was heard, and no whole answer; nothing else is made up", () => {
  const heard = { ...NOTHING_HEARD, model: "fake/one", text: "Half an" };
  const end = { reason: "signal", failure: null, exitCode: 143, endedAfterMs: 1 } as const;
  const document = resultDocument(known, heard, end);
  expect(document).toMatchObject({ text: "Half an", partial: true, models: ["fake/one"] });
  expect(document).toMatchObject({ cost_usd: null, exit_code: 143 });
  expect(document).toHaveProperty("usage.by_model", {});
});

test("tokens are told for each model; the name of a model is left as it is", () => {
  const usage = { inputTokens: 5, cachedInputTokens: 1, outputTokens: 2, reasoningTokens: 0 };
  const byModel = [
    { model: "fake/one", usage },
    { model: "fake/twoModel_v2", usage: { ...usage, inputTokens: 6 } },
  ];
  const record = settledRecord(runId, { models: byModel.map(({ model }) => model), byModel });
  const end = { reason: "end_turn", failure: null, exitCode: 0, endedAfterMs: 1 } as const;
  const tokens = { cached_input_tokens: 1, output_tokens: 2, reasoning_tokens: 0 };
  // As it comes over the wire.
  const told = decodeRunRecord(JSON.parse(JSON.stringify(encodeRunRecord(record))));
  expect(resultDocument({ ...known, record: told }, NOTHING_HEARD, end)).toHaveProperty(
    "usage.by_model",
    {
      "fake/one": { input_tokens: 5, ...tokens },
      "fake/twoModel_v2": { input_tokens: 6, ...tokens },
    },
  );
});

test("of a record of an older version, tokens of several models are not given to one of them", () => {
  const record = settledRecord(runId, { models: ["fake/one", "fake/two"] });
  const end = { reason: "end_turn", failure: null, exitCode: 0, endedAfterMs: 1 } as const;
  const document = resultDocument({ ...known, record }, NOTHING_HEARD, end);
  expect(document).toHaveProperty("usage.by_model", {});
});

test("every ending of every run has all the fields, in one order, and survives as JSON", () => {
  const facts = fc.record({ known: fc.boolean(), record: fc.option(runRecord, { nil: null }) });
  fc.assert(
    fc.property(facts, outcome, fc.nat(255), (given, { reason, failure: what }, exitCode) => {
      const base = given.known ? known : NO_FACTS;
      const end = { reason, failure: what, exitCode, endedAfterMs: 1 };
      const document = resultDocument({ ...base, record: given.record }, NOTHING_HEARD, end);
      expect(Object.keys(document)).toEqual(FIELDS);
      expect(JSON.parse(JSON.stringify(document))).toEqual(document);
      expect(document["status"]).toBe(ENDINGS[reason].status);
      expect(document["cost_usd"]).toBe(given.record?.outcome?.costUsd ?? null);
    }),
  );
});
