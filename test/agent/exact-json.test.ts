import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lossIn } from "../../src/agent/exact-json.ts";

test.each([
  '{"n":9007199254740991,"m":-9007199254740991}',
  "[0.1,1e21,6.02214076e23,-0,1.7976931348623157e308]",
  '{"12345678901234567890":"12345678901234567890, 1e999 and \\"99999999999999999999"}',
  `"${"[".repeat(999)}"`,
  "[".repeat(256) + "]".repeat(256),
  `[${"[],".repeat(999)}[]]`,
])("%.40s is read as it is", (json) => {
  expect(lossIn(json)).toBeNull();
});

test.each([
  ['{"id":9007199254740993}', "9007199254740993 is a number that cannot be kept exactly"],
  ['["a\\\\",-12345678901234567890]', "-12345678901234567890 is a number"],
  ["[1e400]", "1e400 is a number"],
  [`[${"1".repeat(400)}]`, "1…"],
  ["[".repeat(257) + "]".repeat(257), "the answer is nested more than 256 levels deep"],
])("%.40s is not", (json, why) => {
  expect(lossIn(json)).toContain(why);
});

test("what JSON.stringify writes has no loss, if its whole numbers are safe", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 5 }), (value) => {
      const json = JSON.stringify(value, (_, one: unknown) =>
        typeof one === "number" && Number.isInteger(one) && !Number.isSafeInteger(one) ? 0 : one,
      );
      expect(lossIn(json)).toBeNull();
    }),
  );
});
