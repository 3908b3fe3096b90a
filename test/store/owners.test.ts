import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { SessionId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { storeProcess } from "../support/store-process.ts";
import { tempDirectory } from "../support/tool-context.ts";

const open = (directory: string): Store => openStore(directory, { limitBytes: null });
const FILE = (directory: string, id: string): string => join(directory, "owners", `${id}.db`);

test("a process is alive as long as it runs, also while it is stopped, and dead once it was killed", async () => {
  using temp = tempDirectory();
  const store = open(temp.path);
  await using other = await storeProcess(temp.path);
  const id = await other.ask("open");
  expect(store.isAlive(id)).toBe(true);

  other.child.kill("SIGSTOP");
  expect(store.isAlive(id)).toBe(true);
  expect(store.isAlive(id)).toBe(true);
  other.child.kill("SIGCONT");
  expect(await other.ask("write")).toBe("written");

  await other.kill();
  expect(existsSync(FILE(temp.path, id))).toBe(true);
  expect(store.isAlive(id)).toBe(false);
  expect(existsSync(FILE(temp.path, id))).toBe(false);
  expect(store.isAlive(id)).toBe(false);
  store.close();
});

test("a process that closed its store, or never had one, is dead; we ourselves are alive", () => {
  using temp = tempDirectory();
  const [mine, other] = [open(temp.path), open(temp.path)];
  expect(mine.isAlive(mine.ownerId)).toBe(true);
  other.close();
  expect(mine.isAlive(other.ownerId)).toBe(false);
  expect(mine.isAlive("nobody")).toBe(false);
  // Asking for ourselves must not have given the lock away.
  const third = open(temp.path);
  expect(third.isAlive(mine.ownerId)).toBe(true);
  third.close();
  mine.close();
  expect(readdirSync(join(temp.path, "owners"))).toEqual([]);
});

test("whoever opens the directory removes what dead processes left of their locks", async () => {
  using temp = tempDirectory();
  await using dead = await storeProcess(temp.path);
  await using living = await storeProcess(temp.path);
  const [lost, kept] = [await dead.ask("open"), await living.ask("open")];
  await dead.kill();
  const store = open(temp.path);
  expect(existsSync(FILE(temp.path, lost))).toBe(false);
  expect(existsSync(`${FILE(temp.path, lost)}-journal`)).toBe(false);
  expect(store.isAlive(kept)).toBe(true);
  store.close();
});

test("what a killed process had streamed is there, and the file is whole", async () => {
  using temp = tempDirectory();
  await using writer = await storeProcess(temp.path);
  await writer.ask("open");
  const sessionId = (await writer.ask("stream")) as SessionId;
  await writer.kill();
  const store = open(temp.path);
  const [message] = store.messages.list(sessionId);
  expect(message).toMatchObject({ role: "assistant", model: "m" });
  expect(message?.parts[0]).toEqual({ type: "reasoning", thinking: "let me see" });
  const numbers = Array.from({ length: 100 }, (_, n) => `${n} `);
  expect(textOf(message ?? { parts: [] })).toBe(numbers.join(""));
  store.close();
});

test("a crowd that opens a fresh directory at the same moment is let in, and loses nothing", async () => {
  using temp = tempDirectory();
  const directory = join(temp.path, "deep/.crush");
  await using crowd = new AsyncDisposableStackOf(
    await Promise.all(Array.from({ length: 5 }, async () => await storeProcess(directory))),
  );
  const opened = await Promise.all(crowd.all.map(async (one) => await one.ask("open")));
  expect(opened.filter((answer) => answer.startsWith("error"))).toEqual([]);
  expect(new Set(opened).size).toBe(5);
  const written = await Promise.all(crowd.all.map(async (one) => await one.ask("write")));
  expect(written).toEqual(Array.from({ length: 5 }, () => "written"));
  const store = open(directory);
  expect(store.sessions.list()).toHaveLength(250);
  store.close();
});

/** `AsyncDisposableStack` is absent on Node 20. */
class AsyncDisposableStackOf<T extends AsyncDisposable> implements AsyncDisposable {
  readonly all: readonly T[];
  constructor(all: readonly T[]) {
    this.all = all;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map(async (one) => await one[Symbol.asyncDispose]()));
  }
}
