import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newMessageId, newRunId, newSessionId, type SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part } from "../../src/protocol/message.ts";
import type { RunOutcome } from "../../src/protocol/run-record.ts";
import type { NewPrompt } from "../../src/store/runs.ts";
import type { Store } from "../../src/store/store.ts";
import { outcome as anyOutcome } from "../support/arbitrary.ts";
import type { Disk } from "../support/disk.ts";
import { STORE_KINDS } from "../support/store-kinds.ts";

const prompt = (sessionId: SessionId, more: Partial<NewPrompt> = {}): NewPrompt => ({
  runId: newRunId(),
  kind: "prompt",
  attachments: [],
  clientId: null,
  sessionId,
  owner: "me",
  prompt: "do\0it \u{1F600}",
  options: { model: "p/m", timeoutMs: 5 },
  bodyHash: "hash",
  now: 1000,
  ...more,
});

const OUTCOME: RunOutcome = {
  reason: "end_turn",
  failure: null,
  text: "done\0\u{1F600}",
  messageId: null,
  partial: false,
  usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 },
  costUsd: 0.5,
  turns: 1,
  toolCalls: 0,
  models: ["p/m"],
  denials: [],
  warnings: [],
};

const PARTS: readonly Part[] = [
  { type: "reasoning", thinking: "hm", startedAt: 1, providerMetadata: { x: { signature: "s" } } },
  { type: "text", text: "one\0two\u{1F600}\ud800" },
  { type: "tool_call", id: "c", name: "ls", input: "{", finished: true },
  { type: "tool_result", toolCallId: "c", name: "ls", content: "", isError: true, metadata: "{}" },
  { type: "finish", reason: "end_turn", time: 4 },
];

// The store in memory stands in for the file wherever schedules are tried by the thousand: it has to behave like it.
describe.each(STORE_KINDS)("$name", (kind) => {
  let disk: Disk;
  let store: Store;
  beforeEach(() => {
    disk = kind.disk();
    store = disk.open();
  });
  afterEach(() => disk[Symbol.dispose]());

  function session(title = "t", now = 1): SessionId {
    const id = newSessionId();
    store.sessions.create({ id, title, now });
    return id;
  }

  function message(sessionId: SessionId, more: Partial<Message> & { turn?: number } = {}) {
    const { turn = 1, id = newMessageId(), role = "assistant", parts = [] } = more;
    const { model = "m", provider = "p" } = more;
    store.messages.insert({ id, sessionId, turn, role, parts, model, provider, now: 3 });
    return id;
  }

  test("a session counts its messages and adds up its use; an unknown cost stays unknown", () => {
    const id = session("first", 5);
    message(id);
    const usage = { inputTokens: 3, cachedInputTokens: 1, outputTokens: 4, reasoningTokens: 2 };
    store.sessions.addUsage(id, usage, 0.25, 6);
    expect(store.sessions.get(id)).toEqual({
      id,
      parentSessionId: null,
      title: "first",
      summaryMessageId: null,
      messageCount: 1,
      promptTokens: 3,
      completionTokens: 4,
      cost: 0.25,
      createdAt: 5,
      updatedAt: 6,
    });
    store.sessions.addUsage(id, usage, null, 7);
    store.sessions.addUsage(id, usage, 1, 8);
    expect(store.sessions.get(id)).toMatchObject({ promptTokens: 9, cost: null, updatedAt: 8 });
    expect(store.sessions.get(newSessionId())).toBeNull();
  });

  test("sessions are listed with the last changed first, and of equals the newest", () => {
    const [a, b, c] = [session("a", 5), session("b", 5), session("c", 4)];
    expect(store.sessions.list().map(({ id }) => id)).toEqual([b, a, c]);
    const none = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
    store.sessions.addUsage(c, none, 0, 9);
    expect(store.sessions.list().map(({ id }) => id)).toEqual([c, b, a]);
  });

  test("a cancel mark is kept with its reason until it is taken away", () => {
    const id = session();
    expect(store.sessions.cancelMark(id)).toBeNull();
    store.sessions.setCancelMark(id, { upTo: 4, reason: "signal", by: null });
    expect(store.sessions.cancelMark(id)).toEqual({ upTo: 4, reason: "signal", by: null });
    store.sessions.setCancelMark(id, null);
    expect(store.sessions.cancelMark(id)).toBeNull();
  });

  test("a prompt is numbered as it is accepted, and found by number and by run id as it was given", () => {
    const id = session();
    const [first, second] = [prompt(id), prompt(id, { runId: null, options: {} })];
    const seqs = [store.runs.insert(first), store.runs.insert(second)];
    expect(seqs[1]).toBeGreaterThan(seqs[0] ?? 0);
    const runId = first.runId ?? newRunId();
    expect(store.runs.find(runId)).toEqual({ ...first, seq: seqs[0], state: "reserved" });
    expect(store.runs.get(seqs[1] ?? 0)).toEqual({ ...second, seq: seqs[1], state: "reserved" });
    expect(store.runs.find(newRunId())).toBeNull();
    expect(store.runs.record(runId)).toEqual({
      runId,
      sessionId: id,
      state: "reserved",
      prompt: "do\0it \u{1F600}",
      acceptedAt: 1000,
      startedAt: null,
      endedAt: null,
      outcome: null,
    });
  });

  test("a run id is taken once, a session has one active run, and both are refused by the file itself", () => {
    const id = session();
    const one = prompt(id);
    const [a, b] = [store.runs.insert(one), store.runs.insert(prompt(id))];
    expect(() => store.runs.insert(one)).toThrow("UNIQUE");
    store.runs.move(a, "active", 2000);
    expect(() => store.runs.move(b, "active", 2000)).toThrow("UNIQUE");
    store.runs.move(store.runs.insert(prompt(session())), "active", 2000);
  });

  test("an open prompt moves on, hears of the first cancel, and is open until it is settled", () => {
    const id = session();
    const given = prompt(id);
    const seq = store.runs.insert(given);
    store.runs.move(seq, "queued", 2000);
    store.runs.requestCancel(seq, { reason: "signal", by: "me" });
    store.runs.requestCancel(seq, { reason: "by_client", by: null });
    const { runId } = given;
    expect(store.runs.open(id)).toEqual([
      {
        seq,
        runId,
        owner: "me",
        state: "queued",
        cancel: { reason: "signal", by: "me" },
        foldable: false,
      },
    ]);
    expect(store.runs.openSessions()).toEqual([id]);
    store.runs.move(seq, "active", 3000);
    expect(store.runs.settle(seq, OUTCOME, 4000)).toBe(true);
    expect(store.runs.record(runId ?? newRunId())).toMatchObject({
      state: "settled",
      startedAt: 3000,
      endedAt: 4000,
      outcome: OUTCOME,
    });
    expect([store.runs.open(id), store.runs.openSessions()]).toEqual([[], []]);
  });

  test("a run is settled once: whatever comes later changes nothing", () => {
    const given = prompt(session());
    const seq = store.runs.insert(given);
    expect(store.runs.settle(seq, OUTCOME, 4000)).toBe(true);
    expect(store.runs.settle(seq, { ...OUTCOME, reason: "internal" }, 5000)).toBe(false);
    store.runs.move(seq, "active", 6000);
    store.runs.requestCancel(seq, { reason: "signal", by: "me" });
    expect(store.runs.record(given.runId ?? newRunId())).toMatchObject({
      state: "settled",
      startedAt: null,
      endedAt: 4000,
      outcome: OUTCOME,
    });
  });

  test("an outcome is kept whole, whatever it says", () => {
    const id = session();
    fc.assert(
      fc.property(anyOutcome, (outcome) => {
        const given = prompt(id);
        store.runs.settle(store.runs.insert(given), outcome, 1);
        expect(store.runs.record(given.runId ?? newRunId())?.outcome).toEqual(outcome);
      }),
      { numRuns: 30 },
    );
  });

  test("the newest runs come first, and those that nobody waits for are not among them", () => {
    const id = session();
    const ids = [1, 2, 3].map(() => {
      const given = prompt(id);
      store.runs.insert(given);
      return given.runId;
    });
    store.runs.insert(prompt(id, { runId: null }));
    expect(store.runs.recent(2).map(({ runId }) => runId)).toEqual([ids[2], ids[1]]);
  });

  test("a message is what was streamed until it is finished, and then exactly its parts", () => {
    const id = session();
    const messageId = message(id);
    store.messages.appendChunk(messageId, "text", "one ");
    store.messages.appendChunk(messageId, "reasoning", "hm");
    store.messages.appendChunk(messageId, "text", "t\0w\u{1F600}o");
    const streamed: Part[] = [
      { type: "reasoning", thinking: "hm" },
      { type: "text", text: "one t\0w\u{1F600}o" },
    ];
    expect(store.messages.list(id)[0]?.parts).toEqual(streamed);
    store.messages.finish(messageId, PARTS, 9);
    expect(store.messages.list(id)).toEqual([
      {
        id: messageId,
        sessionId: id,
        role: "assistant",
        parts: PARTS,
        model: "m",
        provider: "p",
        createdAt: 3,
        updatedAt: 9,
      },
    ]);
  });

  test("withdrawn text is gone, and text of another message is not", () => {
    const id = session();
    const [one, two] = [message(id), message(id)];
    store.messages.appendChunk(one, "text", "withdrawn");
    store.messages.appendChunk(two, "text", "stays");
    store.messages.dropChunks(one);
    store.messages.appendChunk(one, "text", "again");
    expect(store.messages.list(id).map(({ parts }) => parts)).toEqual([
      [{ type: "text", text: "again" }],
      [{ type: "text", text: "stays" }],
    ]);
  });

  test("messages stand turn by turn in order of acceptance, whenever they were written", () => {
    const [id, other] = [session(), session()];
    const [late, early, tool] = [
      message(id, { turn: 2 }),
      message(id, { turn: 1, role: "user" }),
      message(id, { turn: 1, role: "tool" }),
    ];
    message(other);
    expect(store.messages.list(id).map((one) => one.id)).toEqual([early, tool, late]);
    expect(store.messages.listUpTo(id, 1).map((one) => one.id)).toEqual([early, tool]);
  });

  test("the last model of a session is that of its last answer by a model", () => {
    const id = session();
    expect(store.messages.lastModel(id)).toBeNull();
    message(id, { turn: 1, model: "first" });
    message(id, { turn: 2, model: "second", provider: "q" });
    message(id, { turn: 3, model: "", provider: "" });
    message(id, { turn: 4, role: "user", model: "no" });
    expect({ ...store.messages.lastModel(id) }).toEqual({ provider: "q", model: "second" });
  });

  test("a file is known by the digest of when the session last saw it", () => {
    const [id, other] = [session(), session()];
    store.readFiles.record(id, "/a", "old", 1);
    store.readFiles.record(id, "/a", "new", 2);
    expect(store.readFiles.lastSeen(id, "/a")).toBe("new");
    expect(store.readFiles.lastSeen(other, "/a")).toBeNull();
  });
});
