import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RunFailed } from "../../src/protocol/ending.ts";
import { newSessionId, type RunId, type SessionId } from "../../src/protocol/ids.ts";
import { openWorkspace, type Workspace } from "../../src/server/workspace.ts";
import type { PrepareTurn } from "../../src/session/prepare-turn.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { fakeModel, gated, says, stalls, type ModelStep } from "../support/fake-model.ts";
import { emptyConfig } from "../support/fake-server.ts";
import { turnSetup } from "../support/turn-setup.ts";

interface OpenedPlace extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly session: SessionId;
  submit(runId: string | null, prompt?: string): void;
  /** The store as whoever opens the directory next finds it. */
  reopened(): Store;
}

/** A workspace without a server around it. */
function place(
  prepareTurn: PrepareTurn | null,
  wrap: (store: Store) => Store = (store) => store,
): OpenedPlace {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "crush-place-")));
  const config = emptyConfig(directory);
  const open = (): Store => openStore(config.dataDirectory, { limitBytes: null });
  const workspace = openWorkspace({
    config,
    store: wrap(open()),
    prepareTurn,
    clock: systemClock,
    random: () => 0.5,
    onInterrupted: () => {},
  });
  const id = newSessionId();
  const session = workspace.store.sessions.create({ id, title: "t", now: 1 }).id;
  const more: Store[] = [];
  return {
    workspace,
    session,
    submit: (runId, prompt = "x") => {
      workspace.dispatcher.accept({
        kind: "prompt",
        sessionId: session,
        runId: runId as RunId | null,
        prompt,
        attachments: [],
        clientId: null,
        options: {},
        bodyHash: prompt,
      });
    },
    reopened: () => {
      const store = open();
      more.push(store);
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      await workspace.close();
      for (const store of more) store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const playing =
  (...steps: ModelStep[]): PrepareTurn =>
  async () =>
    turnSetup(fakeModel(...steps));

const refusalOf = (work: () => void): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof RunFailed) return error.failure.reason;
    throw error;
  }
  return "none";
};

test("SHU-1: a shutdown first takes no more prompts, then aborts the runs, waits until none is in flight, and only then closes store and events", async () => {
  const order: string[] = [];
  const entered = deferred();
  await using opened = place(
    playing(async function* obedient(_call, signal) {
      yield { type: "text", text: "so far" };
      entered.resolve();
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      order.push(`aborted, new prompts: ${refusalOf(() => opened.submit("late"))}`);
      order.push(`in flight: ${opened.workspace.dispatcher.inFlight()}`);
      signal.throwIfAborted();
    }),
    (store) => ({
      ...store,
      runs: {
        ...store.runs,
        settle: (...args) => {
          order.push("settled");
          return store.runs.settle(...args);
        },
      },
      close: () => {
        order.push(`store closed, in flight: ${opened.workspace.dispatcher.inFlight()}`);
        order.push(`events closed: ${opened.workspace.log.isClosed()}`);
        store.close();
      },
    }),
  );
  opened.submit("r");
  await entered.promise;
  const { log } = opened.workspace;
  const events = log.head();
  await opened.workspace.close();
  expect(order).toEqual([
    "aborted, new prompts: by_shutdown",
    "in flight: 1",
    "settled",
    "store closed, in flight: 0",
    "events closed: true",
  ]);
  expect(log.head()).toBeGreaterThan(events); // the end was told before nothing could be
  expect(opened.reopened().runs.record("r" as RunId)).toMatchObject({
    outcome: { reason: "by_shutdown" },
  });
});

test("SHU-3: the shutdown does not end before a task that is blocked, and ends with it", async () => {
  const block = deferred();
  const parked = deferred();
  await using opened = place(async () => {
    parked.resolve();
    await block.promise; // whatever its signal says
    return turnSetup(fakeModel(says("ok")));
  });
  opened.submit("r");
  await parked.promise;
  let closed = false;
  const closing = (async () => {
    await opened.workspace.close();
    closed = true;
  })();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(closed).toBe(false);
  expect(opened.workspace.dispatcher.inFlight()).toBe(1);
  block.resolve();
  await closing;
  expect(opened.workspace.dispatcher.inFlight()).toBe(0);
});

test("SHU-4, DSP-21: a prompt that is not ready yet sees the workspace's signal, and waits no longer", async () => {
  const seen = deferred<unknown>();
  const parked = deferred();
  await using opened = place(async (_request, signal) => {
    parked.resolve();
    return await new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        seen.resolve(signal.reason);
        reject(signal.reason as Error);
      });
    });
  });
  opened.submit("r");
  await parked.promise;
  await opened.workspace.close();
  expect(await seen.promise).toMatchObject({ failure: { reason: "by_shutdown" } });
  expect(opened.reopened().runs.record("r" as RunId)).toMatchObject({
    outcome: { reason: "by_shutdown" },
  });
});

test("SHU-14: a workspace without an agent is closed like any other, and twice is harmless", async () => {
  await using opened = place(null);
  expect(opened.workspace.hasAgent).toBe(false);
  await opened.workspace.close();
  await opened.workspace.close();
  expect(opened.workspace.log.isClosed()).toBe(true);
});

test("SHU-14: one that never ran anything, and one whose event log is closed already", async () => {
  await using idle = place(playing(says("ok")));
  await idle.workspace.close();
  await using deaf = place(playing(stalls()));
  deaf.submit("r");
  deaf.workspace.log.close();
  await deaf.workspace.close();
  expect(deaf.reopened().runs.record("r" as RunId)).toMatchObject({ state: "settled" });
});

test("SHU-15: text that waits for its batch is stored before the store closes", async () => {
  const streamed = deferred();
  await using opened = place(
    playing(async function* telling(_call, signal) {
      yield { type: "text", text: "first, " };
      yield { type: "text", text: "and what is still held back" };
      streamed.resolve();
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      signal.throwIfAborted();
    }),
  );
  opened.submit("r");
  await streamed.promise;
  await opened.workspace.close();
  const [, answer] = opened.reopened().messages.list(opened.session);
  expect(answer?.parts).toMatchObject([
    { type: "text", text: "first, and what is still held back" },
    { type: "finish", reason: "canceled" },
  ]);
});

test("DSP-1, DSP-17: a prompt that is taken is in flight when the call returns, one task until it ends; a closing workspace takes none", async () => {
  const gate = gated(says("done"));
  await using opened = place(playing(gate.step));
  const { dispatcher } = opened.workspace;
  expect(dispatcher.inFlight()).toBe(0);
  opened.submit("r");
  expect(dispatcher.inFlight()).toBe(1);
  await gate.entered;
  expect(dispatcher.inFlight()).toBe(1);
  gate.open();
  await dispatcher.idle();
  expect(dispatcher.inFlight()).toBe(0);
  expect(dispatcher.record("r" as RunId)).toMatchObject({ outcome: { text: "done" } });
});

test("DSP-17, ACC-12: each prompt around a shutdown is either counted and told its end, or refused and leaves nothing", async () => {
  await using opened = place(playing(stalls()));
  const { workspace } = opened;
  opened.submit("counted");
  const closing = workspace.close(); // in the same moment: no turn of the loop in between
  expect(refusalOf(() => opened.submit("refused"))).toBe("by_shutdown");
  expect(workspace.store.runs.find("refused" as RunId)).toBeNull();
  expect(workspace.store.runs.open(opened.session)).toHaveLength(1);
  await closing;
  const store = opened.reopened();
  expect(store.runs.recent(10).map(({ runId, outcome }) => [runId, outcome?.reason])).toEqual([
    ["counted", "by_shutdown"],
  ]);
});

test("ERR-13: where nobody could be told, a cancelled run ends all the same", async () => {
  const entered = deferred();
  await using opened = place(
    playing(async function* waiting(call, signal) {
      entered.resolve();
      yield* stalls()(call, signal);
    }),
  );
  opened.submit("r");
  await entered.promise;
  const { log, dispatcher } = opened.workspace;
  log.close();
  const before = log.head();
  dispatcher.cancelSession(opened.session, "by_client");
  await dispatcher.idle();
  expect(log.head()).toBe(before);
  expect(dispatcher.record("r" as RunId)).toMatchObject({ outcome: { reason: "by_client" } });
});
