import { once } from "node:events";
import { expect, test } from "vitest";
import { timeLimit } from "../../src/cli/time-limit.ts";
import { RunFailed } from "../../src/protocol/ending.ts";

test("a command that takes too long ends by a failure with a remedy, not by a bug", async () => {
  const limit = timeLimit(1, "try again");
  await once(limit, "abort");
  const { reason } = limit as { reason: unknown };
  expect(reason).toBeInstanceOf(RunFailed);
  expect((reason as RunFailed).failure).toMatchObject({ reason: "timeout", remedy: "try again" });
});
