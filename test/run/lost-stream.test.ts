import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import {
  done,
  follow,
  handTimers,
  hello,
  pastTheBound,
  runId,
  says,
} from "../support/followed-run.ts";
import { handClock } from "../support/hand-clock.ts";

test("CLI-23: when the stream ends without our terminal, the record is asked, and tells the truth", async () => {
  const { workspace, printed, end } = follow();
  await workspace.heard("prompt");
  workspace.say(says("Hel"));
  workspace.settle(hello);
  workspace.endStream();
  expect(await end).toMatchObject({ reason: "end_turn" });
  expect(printed.join("")).toBe("Hello\n");
});

test("a terminal that was lost in a gap is found in the record", async () => {
  const { workspace, printed, end } = follow();
  await workspace.heard("prompt");
  workspace.settle(hello);
  workspace.say({ type: "gap" });
  expect(await end).toMatchObject({ reason: "end_turn" });
  expect(printed.join("")).toBe("Hello\n");
});

test("W-3: a terminal that was lost in a gap is found also when the first questions for the record fail", async () => {
  let asked = 0;
  const onAsk = (what: string): void => {
    if (what === "getRun" && (asked += 1) < 4)
      throw new RunFailed(failure("server_lost", "cannot reach the server"));
  };
  const { workspace, end } = follow({ onAsk });
  workspace.settle(hello);
  workspace.say({ type: "gap" });
  expect(await end).toMatchObject({ reason: "end_turn", record: hello });
});

test("W-3: a gap of which nobody can say what was in it is no wait without end", async () => {
  const onAsk = (what: string): void => {
    if (what === "getRun") throw new RunFailed(failure("server_lost", "cannot reach the server"));
  };
  const { workspace, end } = follow({ onAsk });
  workspace.say({ type: "gap" });
  expect(await end).toMatchObject({ reason: "server_lost", record: null });
});

test("a gap in the middle of a run that goes on is survived", async () => {
  const { workspace, printed, end } = follow();
  workspace.say(says("Hel"), { type: "gap" });
  await workspace.heard("getRun");
  workspace.settle(hello);
  workspace.say(says("o"), done);
  expect(await end).toMatchObject({ reason: "end_turn" });
  expect(printed.join("")).toBe("Hello\n");
});

test("a record that is settled a moment later is waited for, a little", async () => {
  const clock = handClock();
  const { workspace, end } = follow({}, { clock });
  workspace.say(done);
  await workspace.heard("getRun", 2);
  workspace.settle(hello);
  expect(await end).toMatchObject({ reason: "end_turn" });
  expect(clock.sleeps.length).toBeGreaterThan(0);
});

test("W-3: when stream and record are both no help, the outcome is server_lost, never success", async () => {
  const { workspace, end } = follow();
  await workspace.heard("prompt");
  workspace.endStream();
  expect(await end).toMatchObject({
    reason: "server_lost",
    failure: { remedy: `ask for it with: crush show ${runId}` },
    record: null,
  });
});

test.each([undefined, new Error("socket hang up")])(
  "CLI-23, W-2, INV-34: a stream that ends (%s) while the run goes on is opened again, and no text is printed twice",
  async (error) => {
    const { workspace, printed, end } = follow();
    await workspace.heard("prompt");
    workspace.say(says("Hel"));
    workspace.breakOnce(error);
    await workspace.heard("events", 2);
    workspace.settle(hello);
    workspace.say(says("lo"), done);
    expect(await end).toMatchObject({ reason: "end_turn" });
    expect(printed.join("")).toBe("Hello\n");
  },
);

test("CLI-25: a run whose outcome stays unknown, or that is left, closes the line that it began", async () => {
  const lost = follow();
  await lost.workspace.heard("prompt");
  lost.workspace.say(says("Hel"));
  lost.workspace.endStream();
  expect(await lost.end).toMatchObject({ reason: "server_lost" });
  expect(lost.printed.join("")).toBe("Hel\n");
  handTimers();
  const left = follow();
  left.workspace.say(says("Hel"));
  await left.workspace.heard("prompt");
  await new Promise((resolve) => setImmediate(resolve));
  left.cancel.abort(new RunAborted("signal"));
  await pastTheBound();
  expect(await left.end).toMatchObject({ reason: "signal" });
  expect(left.printed.join("")).toBe("Hel\n");
});

test("a stream that breaks is an end of the stream like any other", async () => {
  const { workspace, end } = follow();
  await workspace.heard("prompt");
  workspace.settle(hello);
  workspace.endStream(new Error("socket hang up"));
  expect(await end).toMatchObject({ reason: "end_turn" });
});
