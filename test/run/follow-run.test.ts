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
  sessionId,
} from "../support/followed-run.ts";
import { refusalOfAsync } from "../support/refusal.ts";
import { settledRecord } from "../support/run-record.ts";

test("CLI-21: the events are opened before the prompt is sent, and the record gives the verdict", async () => {
  const { workspace, printed, end } = follow();
  await workspace.heard("prompt");
  workspace.settle(hello);
  workspace.say(says("Hel"), says("lo"), done);
  expect(await end).toEqual({ reason: "end_turn", failure: null, record: hello });
  expect(workspace.asked).toEqual(["events", "prompt", "getRun"]);
  expect(printed.join("")).toBe("Hello\n");
});

test("events for stderr are told as they come", async () => {
  const { workspace, told, end } = follow();
  workspace.settle(hello);
  workspace.say({ type: "run.started", runId, sessionId, model: "m" }, done);
  await end;
  expect(told).toEqual(["run.started"]);
});

test("a record of a failure is the verdict, whatever the terminal event says", async () => {
  const why = failure("provider_error", "boom");
  const { workspace, end } = follow();
  workspace.settle(settledRecord(runId, { reason: "provider_error", failure: why, text: "" }));
  workspace.say(done);
  expect(await end).toMatchObject({ reason: "provider_error", failure: why });
});

test("CLI-22: a prompt that is refused ends the following at once", async () => {
  const refuse = new RunFailed(failure("unknown_session", "no"));
  const { workspace, end } = follow({ refuse });
  expect(await refusalOfAsync(end)).toBe("unknown_session");
  expect(workspace.asked).toEqual(["events", "prompt"]);
});

test("a prompt whose run has ended already is answered from the record, without waiting for events", async () => {
  const { workspace, printed, end } = follow({
    settled: true,
    onAsk: (what) => {
      if (what === "prompt") workspace.settle(hello);
    },
  });
  expect(await end).toMatchObject({ reason: "end_turn" });
  expect(printed.join("")).toBe("Hello\n");
});

test("CLI-24, W-27: a cancel is asked for by run id with its reason, and the terminal is waited for", async () => {
  const partial = settledRecord(runId, { reason: "signal", text: "so far", partial: true });
  const { workspace, cancel, printed, end } = follow({
    onCancel: (server) => {
      server.settle(partial);
      server.say(says(" far"), done);
    },
  });
  await workspace.heard("prompt");
  workspace.say(says("so"));
  await new Promise((resolve) => setImmediate(resolve));
  cancel.abort(new RunAborted("signal"));
  expect(await end).toMatchObject({ reason: "signal", record: partial });
  expect(workspace.asked).toContain("cancel signal");
  expect(printed.join("")).toBe("so far\n");
});

test("a cancel that nobody answers ends within its bound, with its own reason", async () => {
  handTimers();
  const { workspace, cancel, end } = follow();
  await workspace.heard("prompt");
  cancel.abort(new RunAborted("timeout"));
  await pastTheBound();
  expect(await end).toMatchObject({ reason: "timeout", record: null });
});

test("a cancel before anything was sent sends nothing", async () => {
  const cancel = new AbortController();
  cancel.abort(new RunAborted("signal"));
  const { workspace, end } = follow({}, {}, cancel);
  expect(await end).toMatchObject({ reason: "signal", record: null });
  expect(workspace.asked).toEqual([]);
});

test("a cancel while the events are being opened sends no prompt", async () => {
  const cancel = new AbortController();
  const { workspace, end } = follow(
    { onAsk: async () => await new Promise<never>(() => {}) },
    {},
    cancel,
  );
  await workspace.heard("events");
  cancel.abort(new RunAborted("signal"));
  expect(await end).toMatchObject({ reason: "signal", record: null });
  expect(workspace.asked).toEqual(["events"]);
});

test("a cancel while the prompt is on its way is asked for again once it was accepted", async () => {
  const cancel = new AbortController();
  const cancelled = settledRecord(runId, { reason: "signal", text: "" });
  const { workspace, end } = follow(
    {
      onAsk: (what) => {
        if (what === "prompt") cancel.abort(new RunAborted("signal"));
      },
      onCancel: (server) => {
        if (server.posted.length === 0) throw new RunFailed(failure("unknown_run", "not yet"));
        server.settle(cancelled);
        server.say(done);
      },
    },
    { killAfterMs: 5_000 },
    cancel,
  );
  expect(await end).toMatchObject({ reason: "signal", record: cancelled });
  expect(workspace.asked.filter((what) => what === "cancel signal").length).toBe(2);
});

test("a prompt that is never answered holds a cancelled client no longer than the bound", async () => {
  handTimers();
  const cancel = new AbortController();
  const { workspace, end } = follow(
    {
      onAsk: async (what) => {
        if (what === "prompt") await new Promise<never>(() => {});
      },
    },
    {},
    cancel,
  );
  await workspace.heard("prompt");
  cancel.abort(new RunAborted("signal"));
  await pastTheBound();
  expect(await end).toMatchObject({ reason: "signal", record: null });
});

test("output that cannot be delivered cancels the run and waits for its record", async () => {
  const cancelled = settledRecord(runId, { reason: "reader_left", text: "Hel", partial: true });
  const { workspace, told, end } = follow(
    {
      onCancel: (server) => {
        server.settle(cancelled);
        server.say(says("lo"), { type: "run.started", runId, sessionId, model: "m" }, done);
      },
    },
    {
      output: {
        print: async () => {
          throw new RunAborted("reader_left");
        },
        tell: ({ type }) => void told.push(type),
      },
    },
  );
  workspace.say(says("Hel"));
  expect(await end).toMatchObject({ reason: "reader_left", record: cancelled });
  expect(workspace.asked).toContain("cancel reader_left");
});

test("a reader that no longer reads holds a cancelled client no longer than the bound", async () => {
  handTimers();
  const { workspace, cancel, end } = follow(
    {},
    { output: { print: async () => await new Promise<never>(() => {}), tell: () => {} } },
  );
  workspace.say(says("Hel"));
  await workspace.heard("prompt");
  await new Promise((resolve) => setImmediate(resolve));
  cancel.abort(new RunAborted("signal"));
  await pastTheBound();
  expect(await end).toMatchObject({ reason: "signal" });
});
