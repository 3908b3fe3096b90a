import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { newRunId, newSessionId, type RunId, type SessionId } from "../../src/protocol/ids.ts";
import { createDispatcher } from "../../src/session/create-dispatcher.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { openStore } from "../../src/store/store.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";
import type { LanguageModel } from "../../src/provider/language-model.ts";
import { turnSetup } from "../../test/support/turn-setup.ts";
import type { LaneSubject, PromptTimes } from "./lanes.ts";

interface Asked {
  readonly times: PromptTimes;
  readonly told: () => void;
  readonly think: () => Promise<void>;
}

/** The dispatcher of a workspace with a store on disk. */
export function dispatcherSubject(): LaneSubject {
  const directory = mkdtempSync(join(tmpdir(), "crush-bench-"));
  const store = openStore(directory, { limitBytes: null });
  const asked = new Map<RunId, Asked>();
  const dispatcher = createDispatcher({
    store,
    clock: systemClock,
    random: () => 0.5,
    prepareTurn: async ({ runId }) => turnSetup(modelOf(runId === null ? null : asked.get(runId))),
    publish: (event) => {
      if (event.type === "run_complete" && event.runId !== null) asked.get(event.runId)?.told();
    },
    onInterrupted: () => {},
  });
  return {
    session: () => store.sessions.create({ id: newSessionId(), title: "bench", now: 1 }).id,
    ask: async (session, think) => {
      const runId = newRunId();
      const told = deferred();
      const times = { acceptedAt: performance.now(), calledAt: 0, modelEndedAt: 0, toldAt: 0 };
      asked.set(runId, {
        times,
        think,
        told: () => {
          times.toldAt = performance.now();
          told.resolve();
        },
      });
      dispatcher.accept({ ...PROMPT, sessionId: session as SessionId, runId });
      await told.promise;
      asked.delete(runId);
      const { outcome } = dispatcher.record(runId) ?? { outcome: null };
      if (outcome?.text !== "ok") throw new Error("the bench prompt did not complete");
      return times;
    },
    [Symbol.asyncDispose]: async () => {
      await dispatcher.shutdown();
      store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const PROMPT = {
  kind: "prompt",
  prompt: "hi",
  attachments: [],
  clientId: null,
  options: {},
  bodyHash: "hi",
} as const;

const modelOf = (asked: Asked | null | undefined): LanguageModel => ({
  ref: "bench/instant",
  stream: async function* () {
    if (asked === null || asked === undefined) throw new Error("a prompt that nobody sent");
    asked.times.calledAt = performance.now();
    await asked.think();
    asked.times.modelEndedAt = performance.now();
    yield { type: "text", text: "ok" };
    yield { type: "finish", reason: "end_turn", usage: NO_USAGE };
  },
});

/** The least that the same promises cost: one commit to accept, and one that survives a power cut to settle. */
export function floorSubject(): LaneSubject {
  const directory = mkdtempSync(join(tmpdir(), "crush-bench-"));
  const database = new DatabaseSync(join(directory, "floor.db"));
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
  database.exec("CREATE TABLE runs (seq INTEGER PRIMARY KEY, prompt TEXT, outcome TEXT)");
  const insert = database.prepare("INSERT INTO runs (prompt) VALUES (?)");
  const update = database.prepare("UPDATE runs SET outcome = ? WHERE seq = ?");
  const commit = <T>(work: () => T): T => {
    database.exec("BEGIN IMMEDIATE");
    const result = work();
    database.exec("COMMIT");
    return result;
  };
  return {
    session: () => "",
    ask: async (_session, think) => {
      const acceptedAt = performance.now();
      const seq = commit(() => insert.run("hi").lastInsertRowid);
      await Promise.resolve(); // where the accept returns
      const calledAt = performance.now();
      await think();
      const modelEndedAt = performance.now();
      database.exec("PRAGMA synchronous=FULL");
      commit(() => update.run("ok", seq));
      database.exec("PRAGMA synchronous=NORMAL");
      return { acceptedAt, calledAt, modelEndedAt, toldAt: performance.now() };
    },
    [Symbol.asyncDispose]: async () => {
      database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
