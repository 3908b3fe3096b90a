import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newMessageId, newRunId, newSessionId, type SessionId } from "../../src/protocol/ids.ts";
import type { NewPrompt } from "../../src/store/runs.ts";
import type { Store } from "../../src/store/store.ts";
import type { Disk } from "../support/disk.ts";
import { STORE_KINDS } from "../support/store-kinds.ts";

const session = (store: Store): SessionId =>
  store.sessions.create({ id: newSessionId(), title: "t", now: 1 }).id;

const prompt = (sessionId: SessionId, owner = "me"): NewPrompt => ({
  runId: newRunId(),
  kind: "prompt",
  attachments: [],
  clientId: null,
  sessionId,
  owner,
  prompt: "p",
  options: {},
  bodyHash: "h",
  now: 1,
});

// What the dispatcher asks of a store beyond its tables (tables.test.ts), of the real one and of the one in memory.
describe.each(STORE_KINDS)("$name", (kind) => {
  let disk: Disk;
  let store: Store;
  beforeEach(() => {
    disk = kind.disk();
    store = disk.open();
  });
  afterEach(() => disk[Symbol.dispose]());

  test("a transaction that fails leaves no trace, and its numbers are given again", () => {
    const id = session(store);
    const [kept, message] = [store.runs.insert(prompt(id)), newMessageId()];
    store.sessions.setCancelMark(id, { upTo: kept, reason: "signal", by: "me" });
    const said = { id: message, sessionId: id, turn: kept, role: "user", parts: [] } as const;
    const before = store.sessions.get(id);
    const attempt = (): void =>
      store.transaction(() => {
        store.runs.insert(prompt(id));
        store.runs.move(kept, "active", 5);
        store.runs.requestCancel(kept, { reason: "by_client", by: null });
        store.sessions.setCancelMark(id, null);
        store.messages.insert({ ...said, model: "", provider: "", now: 9 });
        store.messages.appendChunk(message, "text", "x");
        store.messages.remove(message);
        store.readFiles.record(id, "/a", "digest", 1);
        session(store);
        throw new Error("not today");
      }, "full");
    expect(attempt).toThrow("not today");
    expect(store.sessions.list()).toEqual([before]);
    expect(store.sessions.cancelMark(id)).toEqual({ upTo: kept, reason: "signal", by: "me" });
    expect(store.runs.open(id)).toMatchObject([{ seq: kept, state: "reserved", cancel: null }]);
    expect(store.messages.list(id)).toEqual([]);
    expect(store.readFiles.lastSeen(id, "/a")).toBeNull();
    expect(store.runs.insert(prompt(id))).toBe(kept + 1);
  });

  test("a transaction inside another one is part of it", () => {
    const id = session(store);
    const outer = (): void =>
      store.transaction(() => {
        store.transaction(() => void store.runs.insert(prompt(id)));
        expect(store.runs.open(id).length).toBe(1);
        throw new Error("not today");
      });
    expect(outer).toThrow("not today");
    expect(store.runs.open(id)).toEqual([]);
    expect(store.transaction(() => store.runs.insert(prompt(id)))).toBe(1);
  });

  test("a message whose session is not there is refused, and so is a prompt, and text of no message", () => {
    const nowhere = newSessionId();
    const said = {
      id: newMessageId(),
      sessionId: nowhere,
      turn: 1,
      role: "user",
      parts: [],
    } as const;
    expect(() => store.runs.insert(prompt(nowhere))).toThrow("FOREIGN KEY");
    expect(() => store.messages.insert({ ...said, model: "", provider: "", now: 1 })).toThrow(
      "FOREIGN KEY",
    );
    expect(() => store.messages.appendChunk(said.id, "text", "x")).toThrow("FOREIGN KEY");
  });

  test("what one process commits another one sees, and its version tells that something has changed", () => {
    const other = disk.open();
    const versions = [other.dataVersion()];
    const id = session(store);
    versions.push(other.dataVersion());
    store.transaction(() => store.runs.open(id));
    versions.push(other.dataVersion());
    other.runs.insert(prompt(id));
    versions.push(other.dataVersion());
    expect(versions.map((version) => version === versions[0])).toEqual([true, false, false, false]);
    expect(new Set(versions).size).toBe(2);
    expect(store.runs.open(id).length).toBe(1);
  });

  test("a process lives until its store is closed; a closed store is of no use, and closing it twice is harmless", () => {
    const other = disk.open();
    expect(other.ownerId).not.toBe(store.ownerId);
    expect([store.isAlive(other.ownerId), store.isAlive(store.ownerId)]).toEqual([true, true]);
    const id = session(other);
    other.close();
    other.close();
    expect([store.isAlive(other.ownerId), store.isAlive("nobody")]).toEqual([false, false]);
    expect(() => other.runs.open(id)).toThrow("not open");
    expect(() => other.transaction(() => {})).toThrow("not open");
    expect(() => other.dataVersion()).toThrow("not open");
    expect(store.runs.open(id)).toEqual([]);
    expect(store.isInPlace()).toBe(true);
  });
});
