import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EVENT_FIELDS } from "../../src/protocol/event-wire.ts";
import type { RunEvent } from "../../src/protocol/run-event.ts";
import { NOTHING_HEARD } from "../../src/run/heard.ts";
import { beginning, itemOf, lineOf, resultLine } from "../../src/run/json-lines.ts";
import { eventSchema } from "../../src/run/output-schema.ts";
import { NO_FACTS, resultDocument } from "../../src/run/result-document.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { outcome, runRecord, wireEvent } from "../support/arbitrary.ts";
import { runId, sessionId } from "../support/followed-run.ts";
import { wrongInLine, wrongInResult } from "../support/output-schemas.ts";

const ids = { runId, sessionId };
const stamp = { seq: 1, at: 0 };
const isTold = (type: string): type is RunEvent["type"] => Object.hasOwn(EVENT_FIELDS, type);
const told = wireEvent.filter(({ type }) => isTold(type)) as fc.Arbitrary<RunEvent>;
const items = told.map(itemOf).filter((item) => item !== null);
const parse = (line: string): JsonObject => JSON.parse(line) as JsonObject;

test("every event of every run is as the published schema says, and has no field that is not in it", () => {
  fc.assert(
    fc.property(items, (item) => {
      expect(wrongInLine(parse(lineOf(item, ids, stamp)))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("the beginning of a run is too, with and without a model", () => {
  const facts = { ...NO_FACTS, ...ids, cwd: "/work", prompt: "hi", warnings: ["one"] };
  for (const model of [null, "fake/one"])
    for (const item of beginning(facts, { model }))
      expect(wrongInLine(parse(lineOf(item, ids, stamp)))).toEqual([]);
});

test("every result is, alone and as a line", () => {
  const facts = fc.record({ known: fc.boolean(), record: fc.option(runRecord, { nil: null }) });
  fc.assert(
    fc.property(facts, outcome, fc.nat(255), ({ known, record }, { reason, failure }, exitCode) => {
      const base = known ? { ...NO_FACTS, ...ids, cwd: "/work" } : NO_FACTS;
      const end = { reason, failure, exitCode, endedAfterMs: 1.5 };
      const document = resultDocument({ ...base, record }, NOTHING_HEARD, end);
      expect(wrongInResult(document)).toEqual([]);
      expect(wrongInLine(parse(resultLine(document, stamp)))).toEqual([]);
    }),
  );
});

test("every type of event is in the schema, and the tests make each", () => {
  const types = Object.keys(EVENT_FIELDS).filter((type) => type !== "tool.progress");
  const { $defs } = eventSchema();
  expect(Object.keys($defs ?? {}).toSorted()).toEqual([...types, "run.result"].toSorted());
  const made = new Set(fc.sample(told, { numRuns: 2000, seed: 1 }).map(({ type }) => type));
  expect(types.filter((type) => !made.has(type as RunEvent["type"]))).toEqual([]);
});

test("what is missing, of a wrong type or not published is found", () => {
  const line = parse(lineOf({ type: "run.queued", fields: { ahead: 1 } }, ids, stamp));
  expect(wrongInLine(line)).toEqual([]);
  for (const wrong of [
    { ...line, ahead: "1" },
    { ...line, ahead: undefined },
    { ...line, seq: 0 },
    { ...line, schema_version: 2 },
    { ...line, more: 1 },
    { ...line, type: "run.dreamed" },
  ])
    expect(wrongInLine(wrong)).not.toEqual([]);
});
