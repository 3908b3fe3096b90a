import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newMessageId, newRunId, newSessionId } from "../../src/protocol/ids.ts";
import type { MessageId, SessionId } from "../../src/protocol/ids.ts";
import { textOf, type Part } from "../../src/protocol/message.ts";
import type { Store } from "../../src/store/store.ts";
import { outcomeWithoutTurn } from "../../src/session/outcome.ts";
import { failure } from "../../src/protocol/ending.ts";
import type { Disk } from "../support/disk.ts";
import { STORE_KINDS } from "../support/store-kinds.ts";

describe.each(STORE_KINDS)("$name: a copy of a session", (kind) => {
  let disk: Disk;
  let store: Store;
  let from: SessionId;
  beforeEach(() => {
    disk = kind.disk();
    store = disk.open();
    from = store.sessions.create({ id: newSessionId(), title: "the work", now: 1 }).id;
  });
  afterEach(() => disk[Symbol.dispose]());

  /** A prompt that has the slot; returns its turn. */
  const asked = (sessionId: SessionId, now: number): number => {
    const prompt = { prompt: "p", attachments: [], options: {}, bodyHash: "h", clientId: null };
    const who = { runId: newRunId(), sessionId, owner: store.ownerId, now };
    const seq = store.runs.insert({ kind: "prompt", ...prompt, ...who });
    store.runs.move(seq, "active", now);
    return seq;
  };
  const ended = (seq: number): void =>
    void store.runs.settle(seq, outcomeWithoutTurn(failure("internal", "enough")), 9_000);
  const said = (
    turn: number,
    text: string,
    more: { readonly isSummary?: boolean; readonly finish?: "end_turn" | "error" } = {},
  ): MessageId => {
    const id = newMessageId();
    const parts: Part[] = [
      { type: "text", text },
      { type: "finish", reason: more.finish ?? "end_turn", time: 1 },
    ];
    const by = { model: "m", provider: "p", now: 2, isSummary: more.isSummary ?? false };
    store.messages.insert({ id, sessionId: from, turn, role: "assistant", parts, ...by });
    return id;
  };
  const fork = (now = 50): SessionId => {
    const id = newSessionId();
    expect(store.fork({ from, id, now })).toBe(true);
    return id;
  };
  const texts = (id: SessionId): string[] =>
    store.messages.list(id).map((message) => textOf(message));

  test("has title and messages, whole and streamed, under ids of its own, and nothing of what was spent", () => {
    const turn = asked(from, 1_000);
    const one = said(turn, "one");
    const two = newMessageId();
    const by = { model: "m", provider: "p", now: 3 } as const;
    store.messages.insert({ id: two, sessionId: from, turn, role: "assistant", parts: [], ...by });
    store.messages.appendChunk(two, "reasoning", "hm");
    store.messages.appendChunk(two, "text", "tw");
    store.messages.appendChunk(two, "text", "o");
    ended(turn);
    const usage = { inputTokens: 5, cachedInputTokens: 0, outputTokens: 6, reasoningTokens: 0 };
    store.sessions.addUsage(from, usage, 7, 8);
    const before = [store.sessions.get(from), store.messages.list(from)];
    const copy = fork();
    expect(store.sessions.get(copy)).toMatchObject({
      title: "the work",
      messageCount: 2,
      parentSessionId: null,
    });
    expect(store.sessions.get(copy)).toMatchObject({
      promptTokens: 0,
      completionTokens: 0,
      cost: 0,
    });
    expect(store.sessions.get(copy)).toMatchObject({
      createdAt: 50,
      updatedAt: 50,
      summaryMessageId: null,
    });
    const strip = (id: SessionId) =>
      store.messages.list(id).map(({ id: _id, sessionId: _session, ...message }) => message);
    expect(strip(copy)).toEqual(strip(from));
    const ids = store.messages.list(copy).map(({ id }) => id);
    expect(new Set([...ids, one, two]).size).toBe(4);
    expect([store.sessions.get(from), store.messages.list(from)]).toEqual(before);
    expect(store.sessions.list()[0]?.id).toBe(copy);
  });

  test("ends where the last run has ended, whatever goes on", () => {
    const first = asked(from, 1_000);
    said(first, "one");
    ended(first);
    const second = asked(from, 20_000);
    said(second, "half a word");
    const copy = fork();
    expect(texts(copy)).toEqual(["one"]);
    expect(store.runs.open(copy)).toEqual([]);
    expect(store.runs.open(from).map(({ seq }) => seq)).toEqual([second]);
    ended(second);
    expect(texts(copy)).toEqual(["one"]);
    expect(texts(fork())).toEqual(["one", "half a word"]);
  });

  test("goes its own way: what comes later in one of them is not in the other", () => {
    const first = asked(from, 1_000);
    said(first, "one");
    ended(first);
    const copy = fork();
    const turn = asked(copy, 30_000);
    const id = newMessageId();
    const by = { model: "m", provider: "p", now: 31 } as const;
    store.messages.insert({
      id,
      sessionId: copy,
      turn,
      role: "user",
      parts: [{ type: "text", text: "two" }],
      ...by,
    });
    expect(texts(copy)).toEqual(["one", "two"]);
    expect(texts(from)).toEqual(["one"]);
    expect(store.messages.listUpTo(copy, turn).length).toBe(2);
  });

  test("goes on from the same summary", () => {
    const first = asked(from, 1_000);
    said(first, "one");
    store.sessions.setSummary(from, said(first, "note", { isSummary: true }));
    said(first, "two");
    ended(first);
    const copy = fork();
    const summary = store.sessions.summaryOf(copy);
    expect(store.messages.list(copy).find(({ id }) => id === summary)).toMatchObject({
      isSummary: true,
    });
    expect(summary).not.toBe(store.sessions.summaryOf(from));
  });

  test("goes on from the summary before, while a run that has made another goes on", () => {
    const first = asked(from, 1_000);
    store.sessions.setSummary(from, said(first, "note", { isSummary: true }));
    said(first, "of no use", { isSummary: true, finish: "error" });
    ended(first);
    const second = asked(from, 20_000);
    store.sessions.setSummary(from, said(second, "another", { isSummary: true }));
    const copy = fork();
    const summary = store.messages
      .list(copy)
      .find(({ id }) => id === store.sessions.summaryOf(copy));
    expect(summary === undefined ? null : textOf(summary)).toBe("note");
  });

  test("knows the files that were read, but for those since the open run began", () => {
    const first = asked(from, 1_000);
    store.readFiles.record(from, "/a", "digest a", 1);
    store.readFiles.record(from, "/b", "digest b", 1);
    ended(first);
    asked(from, 20_000);
    store.readFiles.record(from, "/b", "digest b2", 20);
    store.readFiles.record(from, "/c", "digest c", 21);
    const copy = fork();
    const seen = ["/a", "/b", "/c"].map((path) => store.readFiles.lastSeen(copy, path));
    expect(seen).toEqual(["digest a", null, null]);
    store.readFiles.record(copy, "/a", "other", 60);
    expect(store.readFiles.lastSeen(from, "/a")).toBe("digest a");
  });

  test("of nothing is none", () => {
    const id = newSessionId();
    expect(store.fork({ from: newSessionId(), id, now: 1 })).toBe(false);
    expect(store.sessions.get(id)).toBeNull();
  });

  test("that fails halfway leaves nothing", () => {
    said(0, "one");
    const copy = newSessionId();
    const attempt = (): void =>
      store.transaction(() => {
        store.fork({ from, id: copy, now: 1 });
        throw new Error("not today");
      });
    expect(attempt).toThrow("not today");
    expect(store.sessions.list().map(({ id }) => id)).toEqual([from]);
    expect(texts(copy)).toEqual([]);
  });
});
