import { expect, test } from "vitest";
import { errorLine } from "../../src/cli/error-line.ts";
import { ENDINGS, failure, type RunFailure } from "../../src/protocol/ending.ts";

const reasons = Object.keys(ENDINGS).filter(
  (reason): reason is RunFailure["reason"] => reason !== "end_turn",
);

test.each(reasons)("the line of %s has a remedy, also when nobody named one", (reason) => {
  expect(errorLine(failure(reason, "what happened"))).toMatch(
    new RegExp(`^error: what happened \\(${reason}\\); \\S.*\\n$`),
  );
});

test("a failure's own remedy stands in its line, which is one line", () => {
  const what = failure("usage", "two\nlines", { remedy: "do\n this" });
  expect(errorLine(what)).toBe("error: two lines (usage); do this\n");
});

test("what others wrote into a failure cannot steer the terminal", () => {
  const what = failure("provider_error", "\u001b[2Jno\u001b]0;owned\u0007", {
    remedy: "a\u009b1mb\r",
  });
  expect(errorLine(what)).toBe("error: no (provider_error); ab\n");
});
