import type { Submission, WorkspaceClient } from "../../src/client/client.ts";
import { failure, RunFailed, type Reason } from "../../src/protocol/ending.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import type { RunId } from "../../src/protocol/ids.ts";
import type { RunRecord } from "../../src/protocol/run-record.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { openRecord } from "./run-record.ts";

/** A workspace played by the test: it says what the server says, and remembers what it was asked. */
export interface FakeWorkspace {
  readonly client: WorkspaceClient;
  /** What was asked, in order: `events`, `prompt`, `cancel signal`, `getRun`. */
  readonly asked: string[];
  readonly posted: Submission[];
  say(...events: WireEvent[]): void;
  /** The event stream ends, with or without an error. */
  endStream(error?: Error): void;
  /** The same for the stream of now alone; the next one goes on. */
  breakOnce(error?: Error): void;
  /** From now on the record says this. */
  settle(record: RunRecord): void;
  /** Resolves when something was asked for as often. */
  heard(what: string, times?: number): Promise<void>;
}

export interface WorkspaceWishes {
  readonly runId: RunId;
  /** Called as each thing is asked for, before it is answered. */
  readonly onAsk?: (what: string) => void | Promise<void>;
  readonly onCancel?: (workspace: FakeWorkspace, reason: Reason) => void;
  readonly settled?: boolean;
  readonly refuse?: RunFailed;
}

export function fakeWorkspace(wishes: WorkspaceWishes): FakeWorkspace {
  const asked: string[] = [];
  const posted: Submission[] = [];
  const queue: WireEvent[] = [];
  let record = openRecord(wishes.runId);
  const breaks: (Error | null)[] = [];
  let over: { readonly error: Error | null } | null = null;
  let wake = deferred();
  let noticed = deferred();
  const stir = (): void => {
    wake.resolve();
    wake = deferred();
  };
  const ask = async (what: string, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    asked.push(what);
    noticed.resolve();
    noticed = deferred();
    const answering = wishes.onAsk?.(what);
    if (answering !== undefined) await orAborted(answering, signal);
  };
  const unused = async (): Promise<never> => {
    throw new RunFailed(failure("internal", "nobody asks for that here"));
  };
  async function* stream(signal: AbortSignal): AsyncGenerator<WireEvent> {
    for (;;) {
      for (let event = queue.shift(); event !== undefined; event = queue.shift()) yield event;
      const broken = breaks.shift();
      if (broken !== undefined && broken !== null) throw broken;
      if (broken === null) return;
      if (over?.error !== undefined && over.error !== null) throw over.error;
      if (over !== null || signal.aborted) return;
      await orAborted(wake.promise, signal).catch(() => {}); // an abort ends the stream
    }
  }
  const workspace: FakeWorkspace = {
    asked,
    posted,
    say: (...events) => {
      queue.push(...events);
      stir();
    },
    endStream: (error) => {
      over = { error: error ?? null };
      stir();
    },
    breakOnce: (error) => {
      breaks.push(error ?? null);
      stir();
    },
    settle: (settled) => {
      record = settled;
    },
    heard: async (what, times = 1) => {
      while (asked.filter((one) => one === what).length < times) await noticed.promise;
    },
    client: {
      configSources: [],
      warnings: [],
      createSession: unused,
      getSession: unused,
      listRuns: unused,
      listSessions: unused,
      release: unused,
      events: async (signal) => {
        await ask("events", signal);
        return stream(signal);
      },
      prompt: async (body, signal) => {
        await ask("prompt", signal);
        if (wishes.refuse !== undefined) throw wishes.refuse;
        posted.push(body);
        return { attached: false, settled: wishes.settled ?? false };
      },
      cancelSession: async (_sessionId, signal) => {
        await ask("cancelSession", signal);
        wishes.onCancel?.(workspace, "by_client");
      },
      isReady: unused,
      cancelRun: async (_runId, reason, signal) => {
        await ask(`cancel ${reason}`, signal);
        wishes.onCancel?.(workspace, reason);
      },
      getRun: async (_runId, signal) => {
        await ask("getRun", signal);
        return record;
      },
    },
  };
  return workspace;
}
