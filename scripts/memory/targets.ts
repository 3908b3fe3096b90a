import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWorkspace } from "../../src/client/client.ts";
import { newSessionId, type RunId, type SessionId } from "../../src/protocol/ids.ts";
import { createDispatcher } from "../../src/session/create-dispatcher.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { openStore } from "../../src/store/store.ts";
import { fails, fakeModel, says } from "../../test/support/fake-model.ts";
import { fakeServer } from "../../test/support/fake-server.ts";
import { turnSetup } from "../../test/support/turn-setup.ts";
import type { Target } from "./mixed-load.ts";

const RUN = { attachments: [], options: {} } as const;
/** The model that breaks. */
const DOOMED = { ...RUN, options: { model: "doomed" } } as const;

/** A dispatcher with a store on disk. */
export async function dispatcherTarget(sessions: number): Promise<Target & AsyncDisposable> {
  const directory = mkdtempSync(join(tmpdir(), "crush-memory-"));
  const store = openStore(directory, { limitBytes: null });
  const ends = waitingForEnds();
  const dispatcher = createDispatcher({
    store,
    clock: systemClock,
    random: () => 0.5,
    prepareTurn: async ({ options }) =>
      turnSetup(fakeModel(options.model === "doomed" ? fails() : says("an answer"))),
    publish: (event) => {
      if (event.type === "run_complete") ends.tell(event.runId);
    },
    onInterrupted: () => {},
  });
  return {
    sessions: Array.from(
      { length: sessions },
      () => store.sessions.create({ id: newSessionId(), title: "memory", now: 1 }).id,
    ),
    accept: async (sessionId, runId, prompt) => {
      ends.expect(runId);
      const more = prompt === "doomed" ? DOOMED : RUN;
      const request = { kind: "prompt", sessionId, runId, prompt, clientId: null } as const;
      dispatcher.accept({ ...request, ...more, bodyHash: prompt });
    },
    cancelRun: async (runId) => void dispatcher.cancelRun(runId, "by_client"),
    cancelSession: async (sessionId) => void dispatcher.cancelSession(sessionId, "by_client"),
    ended: ends.of,
    [Symbol.asyncDispose]: async () => {
      await dispatcher.shutdown();
      store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A whole server, asked over its wire, with a client that reads its events. */
export async function serverTarget(sessions: number): Promise<Target & AsyncDisposable> {
  const server = fakeServer({ models: { doomed: [fails()], "": [says("an answer")] } });
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const ends = waitingForEnds();
  const path = await server.workspace();
  const client = await openWorkspace(
    server.transport,
    "http://crush.test",
    "reader",
    { path: server.directory, dataDir: null, trustConfig: false },
    leaving.signal,
  );
  const events = await client.events(leaving.signal);
  const reading = (async () => {
    for await (const event of events) if (event.type === "run_complete") ends.tell(event.runId);
  })();
  const ids: SessionId[] = [];
  for (let n = 0; n < sessions; n += 1) ids.push((await server.session(path)) as SessionId);
  return {
    sessions: ids,
    accept: async (sessionId, runId, prompt) => {
      ends.expect(runId);
      const more = prompt === "doomed" ? DOOMED : RUN;
      await client.prompt({ sessionId, runId, prompt, ...more }, leaving.signal);
    },
    cancelRun: async (runId) => await client.cancelRun(runId, "by_client", leaving.signal),
    cancelSession: async (id) => {
      const { status } = await server.ask("POST", `${path}/agent/sessions/${id}/cancel`);
      if (status !== 200) throw new Error(`the cancel was answered with ${status}`);
    },
    ended: ends.of,
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      await reading.catch(() => {}); // it was aborted
      await server[Symbol.asyncDispose]();
    },
  };
}

function waitingForEnds() {
  const waiting = new Map<RunId, ReturnType<typeof deferred<void>>>();
  return {
    expect: (runId: RunId | null): void => {
      if (runId !== null && !waiting.has(runId)) waiting.set(runId, deferred());
    },
    tell: (runId: RunId | null): void => {
      if (runId !== null) waiting.get(runId)?.resolve();
    },
    of: async (runId: RunId): Promise<void> => {
      await waiting.get(runId)?.promise;
      waiting.delete(runId);
    },
  };
}
