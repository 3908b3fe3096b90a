import { onTestFinished, vi } from "vitest";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { RunComplete, RunEvent } from "../../src/protocol/run-event.ts";
import { followRun, type FollowOptions, type RunEnd } from "../../src/run/follow-run.ts";
import { fakeWorkspace, type FakeWorkspace, type WorkspaceWishes } from "./fake-workspace.ts";
import { handClock } from "./hand-clock.ts";
import { settledRecord } from "./run-record.ts";

export const runId = "run" as RunId;
export const sessionId = "s" as SessionId;
export const done: RunComplete = {
  type: "run_complete",
  runId,
  sessionId,
  messageId: "m1" as MessageId,
  text: "Hello",
  cancelled: false,
  failure: null,
};
export const says = (text: string): RunEvent => ({
  type: "text.delta",
  runId,
  sessionId,
  messageId: "m1" as MessageId,
  text,
});
/** Timers move by hand in this test. */
export function handTimers(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** `killAfterMs` of these tests, and the grace beyond it. */
export const pastTheBound = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(1_005);
};

export const hello = settledRecord(runId, { text: "Hello" });

export interface Following {
  readonly workspace: FakeWorkspace;
  readonly cancel: AbortController;
  readonly printed: string[];
  readonly told: string[];
  readonly end: Promise<RunEnd>;
}

export function follow(
  wishes: Partial<WorkspaceWishes> = {},
  options: Partial<FollowOptions> = {},
  cancel = new AbortController(),
): Following {
  const workspace = fakeWorkspace({ runId, ...wishes });
  const printed: string[] = [];
  const told: string[] = [];
  const end = followRun({
    client: workspace.client,
    prompt: { runId, sessionId, prompt: "hi", options: {} },
    mode: "live",
    output: {
      print: async (text) => void printed.push(text),
      tell: ({ type }) => void told.push(type),
    },
    clock: handClock(),
    killAfterMs: 5,
    cancel: cancel.signal,
    ...options,
  });
  return { workspace, cancel, printed, told, end };
}
