import { expect, test, vi } from "vitest";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import { awaitReady } from "../../src/run/await-ready.ts";
import { followRun, type FollowOptions } from "../../src/run/follow-run.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { fakeWorkspace, type WorkspaceWishes } from "../support/fake-workspace.ts";
import { handClock } from "../support/hand-clock.ts";
import { errorEvent, here, mine, terminal, theirs, whole } from "../support/reference-events.ts";
import { refusalOfAsync } from "../support/refusal.ts";

/** A clock whose sleeps last until the test says so. */
function stoppedClock(): Clock & { readonly slept: Promise<void>; wake(): void } {
  const [woken, asleep] = [deferred(), deferred()];
  return {
    ...handClock(),
    slept: asleep.promise,
    wake: () => woken.resolve(),
    sleep: async (_ms, signal) => {
      asleep.resolve();
      await orAborted(woken.promise, signal);
    },
  };
}

function follow(options: Partial<FollowOptions> = {}, wishes: Partial<WorkspaceWishes> = {}) {
  const workspace = fakeWorkspace({ runId: mine, ...wishes });
  const printed: string[] = [];
  const cancel = new AbortController();
  let spins = 0;
  const end = followRun({
    client: workspace.client,
    prompt: { runId: mine, sessionId: here, prompt: "hi", options: {} },
    mode: "live",
    output: {
      print: async (text) => void printed.push(text),
      tell: () => {},
      stopSpinner: () => void (spins += 1),
    },
    clock: stoppedClock(),
    killAfterMs: 5_000,
    hasRecords: false,
    cancel: cancel.signal,
    ...options,
  });
  return { workspace, cancel, end, output: () => printed.join(""), spins: () => spins };
}

const foreign: WireEvent[] = [whole("no", { runId: theirs }), terminal("no", { runId: theirs })];

test("CLI-1, CLI-2, CLI-17: on a server without records the own terminal is verdict and text, and no record is asked for", async () => {
  const { workspace, end, output, spins } = follow();
  workspace.say(...foreign, whole("Hel"), terminal("Hello"));
  expect(await end).toEqual({ reason: "end_turn", failure: null, record: null });
  expect(output()).toBe("Hello\n");
  expect(spins()).toBe(1);
  expect(workspace.asked).toEqual(["events", "prompt"]);
});

test("CLI-29: a success that comes within the moment after an error wins", async () => {
  const clock = stoppedClock();
  const { workspace, end, output } = follow({ clock });
  workspace.say(errorEvent(mine));
  await clock.slept;
  workspace.say(terminal("fine"));
  expect(await end).toMatchObject({ reason: "end_turn" });
  expect(output()).toBe("fine\n");
});

test("CLI-4, CLI-29: an error whose terminal never comes ends the run when the moment is over", async () => {
  const clock = stoppedClock();
  const { workspace, end } = follow({ clock });
  workspace.say(errorEvent(mine));
  await clock.slept;
  clock.wake();
  expect(await end).toMatchObject({ reason: "provider_error", failure: { message: "boom" } });
});

test.each([undefined, new Error("socket hang up")])(
  "CLI-23, CLI-25: events that end without the terminal (%s) are no success, and the line is closed",
  async (error) => {
    const { workspace, end, output } = follow();
    workspace.say(whole("half", { runId: mine }));
    await workspace.heard("prompt");
    workspace.endStream(error);
    expect(await end).toMatchObject({ reason: "server_lost", record: null });
    expect(output()).toBe("half\n");
  },
);

test.each(["signal", "timeout"] as const)(
  "CLI-24, W-4: the own wish to end (%s) cancels the session of a server that knows no runs, and is the reason of the cancelled terminal",
  async (reason) => {
    const { workspace, cancel, end, output } = follow(
      {},
      { onCancel: (server) => server.say(terminal("so far", { cancelled: true })) },
    );
    await workspace.heard("prompt");
    cancel.abort(new RunAborted(reason));
    expect(await end).toMatchObject({ reason, failure: { reason } });
    expect(workspace.asked).toContain("cancelSession");
    expect(output()).toBe("so far\n");
  },
);

test("CLI-24: a run that was cancelled by somebody else says so, and a success that was faster than the own wish stays one", async () => {
  const { workspace, end } = follow();
  workspace.say(terminal("", { cancelled: true }));
  expect(await end).toMatchObject({ reason: "by_client", failure: { reason: "by_client" } });
  const faster = follow({}, { onCancel: (server) => server.say(terminal("all")) });
  await faster.workspace.heard("prompt");
  faster.cancel.abort(new RunAborted("signal"));
  expect(await faster.end).toMatchObject({ reason: "end_turn", failure: null });
});

test("CLI-25: a cancel that no terminal answers ends within its bound, and the line is closed", async () => {
  const { workspace, cancel, end, output } = follow({ killAfterMs: 0 });
  workspace.say(whole("half", { runId: mine }));
  await workspace.heard("prompt");
  await vi.waitFor(() => expect(output()).toBe("half"));
  cancel.abort(new RunAborted("signal"));
  expect(await end).toMatchObject({ reason: "signal" });
  expect(output()).toBe("half\n");
});

test("CLI-26: an agent that is not ready is asked every 200 ms, and waited for no longer than 30 s", async () => {
  const clock = handClock();
  let asked = 0;
  const ready = async (): Promise<boolean> => (asked += 1) > 3;
  const { signal } = new AbortController();
  await awaitReady({ isReady: ready }, clock, signal);
  expect(clock.sleeps).toEqual([200, 200, 200]);
  const never = awaitReady({ isReady: async () => false }, handClock(), signal);
  expect(await refusalOfAsync(never)).toBe("provider_unavailable");
  const late = handClock();
  await awaitReady({ isReady: async () => false }, late, signal).catch(() => {});
  expect(late.sleeps.length).toBe(150);
});

test("CLI-26: an abort ends the wait for the agent", async () => {
  const clock = stoppedClock();
  const abort = new AbortController();
  const waiting = awaitReady({ isReady: async () => false }, clock, abort.signal);
  await clock.slept;
  abort.abort(new RunAborted("signal"));
  await expect(waiting).rejects.toMatchObject({ reason: "signal" });
});
