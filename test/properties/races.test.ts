import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { STORE_KINDS } from "../support/store-kinds.ts";
import { PROPERTIES } from "./properties.ts";

/** The soak (`npm run soak`) tries them by the hundred thousand. */
const SCHEDULES = { memory: 300, sqlite: 30 };

describe.each(PROPERTIES)("$id", ({ id, title, property }) => {
  test.each(STORE_KINDS)(`${id}: ${title} ($name)`, async (stores) => {
    const details = await fc.check(property(stores), { numRuns: SCHEDULES[stores.name] });
    const { errorInstance: why } = details;
    expect(
      details.failed,
      `${fc.defaultReportMessage(details) ?? ""}\n${why instanceof Error ? why.message : ""}`,
    ).toBe(false);
  });
});
