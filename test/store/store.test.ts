import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { RunFailed, type RunFailure } from "../../src/protocol/ending.ts";
import {
  newMessageId,
  newSessionId,
  type MessageId,
  type RunId,
  type SessionId,
} from "../../src/protocol/ids.ts";
import { foldedOutcome } from "../../src/session/outcome.ts";
import { openDatabase } from "../../src/store/database.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { asOrdinaryUser } from "../support/other-user.ts";
import { tempDirectory } from "../support/tool-context.ts";

const open = (directory: string, limitBytes: number | null = null): Store =>
  openStore(directory, { limitBytes });

function failureOf(work: () => unknown): RunFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
  throw new Error("expected a RunFailed");
}

const closing = (store: Store): Store & Disposable => ({
  ...store,
  [Symbol.dispose]: () => store.close(),
});

const ADDED_BY_SECOND_VERSION = {
  sessions: ["cancel_by", "summary_message_id"],
  runs: ["kind", "attachments", "client_id", "cancel_by"],
  messages: ["is_summary"],
};

const versionOf = (directory: string): unknown => {
  const connection = new DatabaseSync(join(directory, "crush-run.db"));
  const row = connection.prepare("PRAGMA user_version").get();
  connection.close();
  return row;
};

test("a fresh directory is made for its owner alone, and kept out of version control", () => {
  using temp = tempDirectory();
  const directory = join(temp.path, "deep/.crush");
  open(directory).close();
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(directory, ".gitignore"), "utf8")).toBe("*\n");
  expect(versionOf(directory)).toEqual({ user_version: 2 });
});

test("opening again finds what was stored, and migrates nothing twice", () => {
  using temp = tempDirectory();
  const id = newSessionId();
  const first = open(temp.path);
  first.sessions.create({ id, title: "kept", now: 7 });
  first.close();
  first.close();
  const second = open(temp.path);
  expect(second.sessions.get(id)).toMatchObject({ title: "kept", createdAt: 7 });
  expect(second.ownerId).not.toBe(first.ownerId);
  second.close();
});

test("a file of a newer version is refused and left as it is", () => {
  using temp = tempDirectory();
  open(temp.path).close();
  const connection = new DatabaseSync(join(temp.path, "crush-run.db"));
  connection.exec("PRAGMA user_version=999");
  connection.close();
  expect(failureOf(() => open(temp.path))).toMatchObject({
    reason: "storage",
    message: expect.stringContaining("written by a newer version") as string,
    remedy: expect.stringMatching(/^update .*--data-dir/) as string, // not: move it away
  });
  expect(versionOf(temp.path)).toEqual({ user_version: 999 });
});

test("a file of the first version is taken over with its open runs, its conversation and its outcomes", () => {
  using temp = tempDirectory();
  open(temp.path).close();
  const old = new DatabaseSync(join(temp.path, "crush-run.db"));
  for (const [table, columns] of Object.entries(ADDED_BY_SECOND_VERSION))
    for (const column of columns) old.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  const outcome = JSON.stringify({ ...foldedOutcome(), text: "done" });
  old.exec(`PRAGMA user_version=1;
    INSERT INTO sessions (id, title, cancel_mark, cancel_reason, created_at, updated_at) VALUES ('s', 't', 2, 'signal', 1, 1);
    INSERT INTO runs (run_id, session_id, owner, state, prompt, options, body_hash, accepted_at, reason, outcome)
      VALUES ('r1', 's', 'gone', 'settled', '"one"', '{}', 'h', 1, 'end_turn', '${outcome}');
    INSERT INTO runs (run_id, session_id, owner, state, prompt, options, body_hash, accepted_at)
      VALUES ('r2', 's', 'gone', 'active', '"two"', '{"model":"p/m"}', 'h', 2), (NULL, 's', 'gone', 'queued', '"three"', '{}', 'h', 3);
    INSERT INTO messages (id, session_id, turn, role, parts, model, provider, created_at, updated_at)
      VALUES ('m', 's', 1, 'user', '[{"type":"text","text":"one"}]', '', '', 1, 1);`);
  old.close();
  using store = closing(open(temp.path));
  const { runs, sessions, messages } = store;
  expect(versionOf(temp.path)).toEqual({ user_version: 2 });
  expect(runs.record("r1" as RunId)?.outcome).toMatchObject({ reason: "end_turn", text: "done" });
  expect(runs.open("s" as SessionId)).toMatchObject([
    { runId: "r2", state: "active", cancel: null, foldable: false },
    { runId: null, state: "queued", cancel: null, foldable: true },
  ]);
  expect(runs.find("r2" as RunId)).toMatchObject({
    kind: "prompt",
    attachments: [],
    prompt: "two",
  });
  expect(sessions.cancelMark("s" as SessionId)).toEqual({ upTo: 2, reason: "signal", by: null });
  expect(sessions.get("s" as SessionId)).toMatchObject({ summaryMessageId: null, messageCount: 1 });
  expect(messages.list("s" as SessionId)).toMatchObject([{ role: "user" }]);
});

test("what one dead writer had streamed does not make each message of its session dearer", () => {
  using temp = tempDirectory();
  using store = closing(open(temp.path));
  const sessionId = newSessionId();
  const inserted = (): MessageId => {
    const id = newMessageId();
    const message = { id, sessionId, turn: 1, role: "assistant", parts: [] } as const;
    store.messages.insert({ ...message, model: "m", provider: "p", now: 1 });
    return id;
  };
  const listedIn = (): number => {
    const start = performance.now();
    store.messages.list(sessionId);
    return performance.now() - start;
  };
  store.sessions.create({ id: sessionId, title: "t", now: 1 });
  store.transaction(() => {
    for (let n = 0; n < 5_000; n += 1) inserted();
  });
  const without = Math.min(listedIn(), listedIn(), listedIn());
  store.transaction(() => {
    const id = inserted();
    for (let n = 0; n < 5_000; n += 1) store.messages.appendChunk(id, "text", "x");
  });
  expect(Math.min(listedIn(), listedIn(), listedIn())).toBeLessThan(3 * without + 50);
});

test("a file that is no database is refused", () => {
  using temp = tempDirectory();
  writeFileSync(join(temp.path, "crush-run.db"), "not a database, but long enough ".repeat(100));
  expect(failureOf(() => open(temp.path))).toMatchObject({
    reason: "storage",
    remedy: expect.stringContaining("not a database of ours") as string,
  });
});

test.each([
  ["is a file", ".crush", (root: string) => writeFileSync(join(root, ".crush"), "")],
  ["lies below a file", "file/a/.crush", (root: string) => writeFileSync(join(root, "file"), "")],
  [
    "is a link to nowhere",
    ".crush",
    (root: string) => symlinkSync("nowhere", join(root, ".crush")),
  ],
  ["lies where nothing can be made", "/proc/self/crush", () => {}],
  ["has too long a name", "x".repeat(300), () => {}],
])("a data directory that %s is refused with a remedy", (_, place, spoil) => {
  using temp = tempDirectory();
  spoil(temp.path);
  const path = resolve(temp.path, place);
  expect(failureOf(() => open(path))).toMatchObject({
    reason: "storage",
    message: expect.stringContaining(path) as string,
    remedy: expect.stringContaining("--data-dir") as string,
  });
});

test("a data directory that is not ours to write is refused with a remedy", () => {
  using temp = tempDirectory();
  chmodSync(temp.path, 0o555);
  expect(failureOf(() => asOrdinaryUser(() => open(join(temp.path, ".crush"))))).toMatchObject({
    reason: "storage",
    message: expect.stringContaining("EACCES") as string,
    remedy: "make it writable, or name another with --data-dir",
  });
  chmodSync(temp.path, 0o755);
});

test("a store that became read-only is refused with a remedy", () => {
  using temp = tempDirectory();
  chmodSync(temp.path, 0o755);
  const directory = join(temp.path, "data");
  mkdirSync(directory);
  open(directory).close();
  for (const name of ["crush-run.db", "owners", ""])
    chmodSync(join(directory, name), name === "crush-run.db" ? 0o444 : 0o555);
  expect(failureOf(() => asOrdinaryUser(() => open(directory)))).toMatchObject({
    reason: "storage",
    remedy: "make the data directory writable, or name another with --data-dir",
  });
  chmodSync(directory, 0o755);
  chmodSync(join(directory, "owners"), 0o755);
});

test("a full store says so, names the remedies, and keeps what it has", () => {
  using temp = tempDirectory();
  const store = open(temp.path, 128 * 1024);
  const sessionId = newSessionId();
  const id = newMessageId();
  store.sessions.create({ id: sessionId, title: "full", now: 1 });
  store.messages.insert({
    id,
    sessionId,
    turn: 1,
    role: "assistant",
    parts: [],
    model: "m",
    provider: "p",
    now: 1,
  });
  let stored = 0;
  const failure = failureOf(() => {
    while (stored < 1000) {
      store.transaction(() => {
        store.messages.appendChunk(id, "text", "x".repeat(1000));
        store.sessions.setCancelMark(sessionId, { upTo: stored + 1, reason: "signal", by: null });
      });
      stored += 1;
    }
  });
  expect(failure).toMatchObject({
    reason: "storage",
    message: expect.stringContaining("full") as string,
    remedy: expect.stringContaining("CRUSH_RUN_STORE_LIMIT") as string,
  });
  expect(stored).toBeGreaterThan(10);
  const [message] = store.messages.list(sessionId);
  expect(message?.parts).toEqual([{ type: "text", text: "x".repeat(1000 * stored) }]);
  // The transaction that did not fit left no half of itself.
  expect(store.sessions.cancelMark(sessionId)).toEqual({
    upTo: stored,
    reason: "signal",
    by: null,
  });
  store.messages.dropChunks(id);
  store.messages.appendChunk(id, "text", "there is room again");
  store.close();
});

test("a failed transaction is taken back whole, a nested one with its outer one", () => {
  using temp = tempDirectory();
  const store = open(temp.path);
  const [outer, inner] = [newSessionId(), newSessionId()];
  expect(() =>
    store.transaction(() => {
      store.sessions.create({ id: outer, title: "outer", now: 1 });
      store.transaction(() => store.sessions.create({ id: inner, title: "inner", now: 1 }), "full");
      throw new Error("changed my mind");
    }),
  ).toThrow("changed my mind");
  expect(store.sessions.list()).toEqual([]);
  store.transaction(() => store.sessions.create({ id: inner, title: "inner", now: 1 }), "full");
  expect(store.sessions.list()).toHaveLength(1);
  store.close();
});

test("the data version changes when another process has committed, and only then", () => {
  using temp = tempDirectory();
  const [mine, other] = [open(temp.path), open(temp.path)];
  const before = mine.dataVersion();
  mine.sessions.create({ id: newSessionId(), title: "mine", now: 1 });
  expect(mine.dataVersion()).toBe(before);
  other.sessions.create({ id: newSessionId(), title: "other", now: 1 });
  expect(mine.dataVersion()).not.toBe(before);
  mine.close();
  other.close();
});

test("a file that is damaged inside is said to be, whichever query meets the damage", () => {
  using temp = tempDirectory();
  open(temp.path).close();
  const file = join(temp.path, "crush-run.db");
  const connection = new DatabaseSync(file);
  connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const { rootpage } = connection
    .prepare("SELECT rootpage FROM sqlite_master WHERE name = 'sessions'")
    .get() as { rootpage: number };
  connection.close();
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0xab, (rootpage - 1) * 4096, rootpage * 4096));
  const store = open(temp.path);
  const damaged = { reason: "storage", remedy: expect.stringContaining("damaged") as string };
  expect(failureOf(() => store.sessions.list())).toMatchObject(damaged);
  const session = { id: newSessionId(), title: "lost", now: 7 };
  expect(failureOf(() => store.sessions.create(session))).toMatchObject(damaged);
  store.close();
});

test("a write that waited in vain makes the next waits short, until one succeeds", () => {
  using temp = tempDirectory();
  const file = join(temp.path, "some.db");
  const database = openDatabase(file, null, { busyMs: 50 });
  const write = (): unknown =>
    database.run("PRAGMA user_version=1") && database.transaction(() => 0);
  const patience = (): unknown => database.get("PRAGMA busy_timeout");
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  expect(patience()).toEqual({ timeout: 50 });
  expect(failureOf(write).reason).toBe("storage");
  expect(patience()).toEqual({ timeout: 5 });
  other.exec("ROLLBACK");
  write();
  expect(patience()).toEqual({ timeout: 50 });
  other.close();
  database.close();
});
