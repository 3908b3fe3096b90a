import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeFailure,
  decodeOutcome,
  decodeRunRecord,
  encodeOutcome,
  encodeRunRecord,
} from "../../src/protocol/run-record.ts";
import { ENDINGS } from "../../src/protocol/ending.ts";
import { outcome, runRecord } from "../support/arbitrary.ts";

test("a record is the same after the wire, and says its status and exit code once it is settled", () => {
  fc.assert(
    fc.property(runRecord, (record) => {
      const wire: unknown = JSON.parse(JSON.stringify(encodeRunRecord(record)));
      expect(decodeRunRecord(wire)).toEqual(record);
      const ending = record.outcome === null ? undefined : ENDINGS[record.outcome.reason];
      expect(wire).toHaveProperty("run_id", record.runId);
      expect((wire as { status?: unknown }).status).toBe(ending?.status);
      expect((wire as { exit_code?: unknown }).exit_code).toBe(ending?.exitCode);
    }),
  );
});

test("an outcome is the same after the store", () => {
  fc.assert(
    fc.property(outcome, (one) => {
      expect(decodeOutcome(encodeOutcome(one))).toEqual(one);
    }),
  );
});

test("a record with an unknown reason or state is refused", () => {
  const [record] = fc.sample(
    runRecord.filter(({ outcome: ended }) => ended !== null),
    { numRuns: 1, seed: 1 },
  );
  if (record?.outcome == null) throw new Error("no sample");
  const spoilt = { ...record, outcome: { ...record.outcome, reason: "tired" as never } };
  expect(() => decodeRunRecord(encodeRunRecord({ ...record, state: "gone" as never }))).toThrow(
    "state",
  );
  expect(() => decodeOutcome(encodeOutcome(spoilt.outcome))).toThrow("unknown reason");
  expect(() => decodeRunRecord(null)).toThrow("object");
});

test("a failure that is none is no failure", () => {
  for (const value of [null, "no", {}, { reason: "tired", message: "" }])
    expect(decodeFailure(value)).toBeNull();
});
