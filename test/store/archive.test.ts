import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunFailed } from "../../src/protocol/ending.ts";
import { newMessageId, newRunId, newSessionId, type SessionId } from "../../src/protocol/ids.ts";
import type { Session } from "../../src/protocol/session.ts";
import { openArchive, type Archive } from "../../src/store/archive.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { asOrdinaryUser } from "../support/other-user.ts";

let directory: string;
let store: Store;
const file = (): string => join(directory, "crush-run.db");

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "crush-archive-"));
  store = openStore(directory, { limitBytes: null });
});
afterEach(() => {
  store.close();
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true, force: true });
});

function opened(): Archive {
  const archive = openArchive(directory);
  if (archive === null) throw new Error("there is no store");
  return archive;
}

function sessionWith(title: string, now = 1): Session {
  const id = newSessionId();
  store.sessions.create({ id, title, now });
  store.messages.insert({
    id: newMessageId(),
    sessionId: id,
    turn: 1,
    role: "user",
    parts: [{ type: "text", text: title }],
    model: "",
    provider: "",
    now,
  });
  store.readFiles.record(id, "/a", "digest", now);
  return must(store.sessions.get(id));
}

function must<T>(value: T | null): T {
  if (value === null) throw new Error("it is not there");
  return value;
}

const openPrompt = (sessionId: SessionId, owner = store.ownerId): number =>
  store.runs.insert({
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

/** Rows of every table but the one that SQLite keeps for itself. */
function rows(): Record<string, number> {
  const database = new DatabaseSync(file());
  try {
    const count = (table: string): number =>
      (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
    const tables = ["sessions", "runs", "messages", "message_chunks", "read_files"];
    return Object.fromEntries(tables.map((table) => [table, count(table)]));
  } finally {
    database.close();
  }
}

function childOf(parent: Session): Session {
  const child = sessionWith("child");
  const database = new DatabaseSync(file());
  database
    .prepare("UPDATE sessions SET parent_session_id = ? WHERE id = ?")
    .run(parent.id, child.id);
  database.close();
  return child;
}

function failureOf(work: () => unknown): RunFailed["failure"] {
  try {
    work();
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
  throw new Error("it worked");
}

test("where there is no store none is made", () => {
  const elsewhere = join(directory, "none");
  expect(openArchive(elsewhere)).toBeNull();
  expect(openArchive(join(file(), "below"))).toBeNull();
  expect(existsSync(elsewhere)).toBe(false);
});

test("a session goes with its messages, runs, read files and children; the others stay", () => {
  const gone = sessionWith("gone");
  const grandchild = childOf(childOf(gone));
  const kept = sessionWith("kept");
  store.messages.appendChunk(must(store.messages.list(grandchild.id)[0] ?? null).id, "text", "x");
  openPrompt(gone.id, "dead");
  openPrompt(kept.id);
  using archive = opened();
  expect(archive.remove(gone)).toBe(true);
  expect(rows()).toEqual({
    sessions: 1,
    runs: 1,
    messages: 1,
    message_chunks: 0,
    read_files: 1,
  });
  expect(archive.sessions.list().map(({ title }) => title)).toEqual(["kept"]);
});

test("a session with an open prompt of a living process stays, and so does one whose child has one", () => {
  const parent = sessionWith("parent");
  const child = childOf(parent);
  const seq = openPrompt(child.id);
  using archive = opened();
  for (const session of [parent, child])
    expect(failureOf(() => archive.remove(session))).toMatchObject({ reason: "session_busy" });
  expect(rows()["sessions"]).toBe(2);
  store.runs.settle(seq, { ...OUTCOME }, 2);
  expect(archive.remove(parent)).toBe(true);
});

test("a session with an open prompt of a dead process goes", () => {
  const session = sessionWith("left");
  openPrompt(session.id, randomUUID());
  using archive = opened();
  expect(archive.remove(session)).toBe(true);
});

test("a session that was used since it was seen stays, and one that is gone is not there to remove", () => {
  const session = sessionWith("used");
  using archive = opened();
  expect(archive.remove({ ...session, updatedAt: 0 })).toBe(false);
  expect(archive.remove(session)).toBe(true);
  expect(archive.remove(session)).toBe(false);
});

test("a new title changes nothing else, not even when the session was changed", () => {
  const session = sessionWith("old", 7);
  using archive = opened();
  archive.rename(session.id, "new");
  expect(archive.sessions.get(session.id)).toEqual({ ...session, title: "new" });
});

test.each([
  ["nobody has it open", () => store.close()],
  ["another process has it open", () => {}],
])(
  "a directory that may not be written can be read when %s, and nothing is written there",
  (_, prepare) => {
    const session = sessionWith("read");
    prepare();
    chmodSync(file(), 0o644);
    for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o755);
    const before = readdirSync(directory);
    chmodSync(directory, 0o555);
    asOrdinaryUser(() => {
      using archive = opened();
      expect(archive.sessions.list()).toEqual([session]);
      expect(archive.messages.list(session.id)).toHaveLength(1);
      expect(failureOf(() => archive.rename(session.id, "x"))).toMatchObject({ reason: "storage" });
    });
    expect(readdirSync(directory)).toEqual(before);
  },
);

test("a directory that may not be entered is a failure that says so", () => {
  chmodSync(directory, 0o000);
  asOrdinaryUser(() => {
    const { reason, message } = failureOf(opened);
    expect(reason).toBe("storage");
    expect(message).toContain("EACCES");
  });
});

test("a file that is no database, of a newer version, or of an older one that cannot be brought up to date, is refused", () => {
  store.close();
  const setVersion = (version: number): void => {
    const database = new DatabaseSync(file());
    database.exec(`PRAGMA user_version=${version}`);
    database.close();
  };
  setVersion(1);
  chmodSync(file(), 0o444);
  chmodSync(directory, 0o555);
  asOrdinaryUser(() =>
    expect(failureOf(opened)).toMatchObject({
      reason: "storage",
      remedy: expect.stringContaining("brought up to date"),
    }),
  );
  chmodSync(directory, 0o700);
  chmodSync(file(), 0o644);
  setVersion(999);
  expect(failureOf(opened)).toMatchObject({
    reason: "storage",
    remedy: expect.stringContaining("update crush-run"),
  });
  writeFileSync(file(), "no database, but long enough to be looked at".repeat(100));
  expect(failureOf(opened)).toMatchObject({ reason: "storage" });
});

const OUTCOME = {
  reason: "end_turn",
  failure: null,
  text: "",
  messageId: null,
  partial: false,
  usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 },
  costUsd: 0.5,
  turns: 1,
  toolCalls: 0,
  models: ["p/m"],
  denials: [],
  warnings: [],
} as const;
