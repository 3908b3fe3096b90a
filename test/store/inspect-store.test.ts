import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { describe, expect, test } from "vitest";
import { RunFailed } from "../../src/protocol/ending.ts";
import { inspectStore } from "../../src/store/inspect-store.ts";
import { LOCK_FREE, LOCK_HELD, probeLock } from "../../src/store/lock-probe.ts";
import { SCHEMA_VERSION } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/store.ts";
import { tempDirectory } from "../support/tool-context.ts";

const FILE = "crush-run.db";
const filesIn = (directory: string): readonly string[] => readdirSync(directory).sort();

function refusal(directory: string): { readonly reason: string; readonly message: string } {
  try {
    inspectStore(directory);
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
  throw new Error("expected a refusal");
}

describe("looking into a store", () => {
  test("none is null, and stays none", () => {
    using temp = tempDirectory();
    expect(inspectStore(temp.path)).toBeNull();
    expect(filesIn(temp.path)).toEqual([]);
  });

  test("one that nobody has open is read, and no file is added", () => {
    using temp = tempDirectory();
    openStore(temp.path, { limitBytes: null }).close();
    const before = filesIn(temp.path);
    const state = inspectStore(temp.path);
    expect(state).toMatchObject({ version: SCHEMA_VERSION, ours: SCHEMA_VERSION, isChecked: true });
    expect(filesIn(temp.path)).toEqual(before);
  });

  test("one that a run has open is read as well, and the run goes on", () => {
    using temp = tempDirectory();
    const store = openStore(temp.path, { limitBytes: null });
    const before = filesIn(temp.path);
    expect(inspectStore(temp.path)?.isChecked).toBe(true);
    expect(filesIn(temp.path)).toEqual(before);
    expect(store.isInPlace()).toBe(true);
    store.close();
  });

  test("an older schema is told, and one whose last writer took its log away stays without one", () => {
    using temp = tempDirectory();
    const database = new DatabaseSync(join(temp.path, FILE));
    database.exec("PRAGMA journal_mode=WAL; CREATE TABLE t (a); PRAGMA user_version=1");
    database.close();
    expect(filesIn(temp.path)).toEqual([FILE]);
    expect(inspectStore(temp.path)?.version).toBe(1);
    expect(filesIn(temp.path)).toEqual([FILE]);
  });

  test("a newer schema, a damaged file and no database at all are what a run could not use", () => {
    using temp = tempDirectory();
    const file = join(temp.path, FILE);
    const database = new DatabaseSync(file);
    database.exec(`CREATE TABLE t (a); PRAGMA user_version=${SCHEMA_VERSION}`);
    for (let row = 0; row < 200; row += 1)
      database.exec(`INSERT INTO t VALUES ('${"x".repeat(90)}')`);
    database.close();
    expect(inspectStore(temp.path)?.isChecked).toBe(true);
    const whole = readFileSync(file);
    const newer = Buffer.from(whole);
    newer.writeUInt32BE(SCHEMA_VERSION + 1, 60); // where SQLite keeps user_version
    writeFileSync(file, newer);
    expect(refusal(temp.path)).toMatchObject({
      reason: "storage",
      message: expect.stringContaining("newer"),
    });
    const damage = Buffer.alloc(whole.length - 4096, 7);
    writeFileSync(file, Buffer.concat([whole.subarray(0, 4096), damage]));
    expect(refusal(temp.path)).toMatchObject({
      reason: "storage",
      message: expect.stringContaining("malformed"),
    });
    writeFileSync(file, "no database\n".repeat(500));
    expect(refusal(temp.path)).toMatchObject({ reason: "storage" });
  });

  test("a name with signs that mean something in a URL is a name", () => {
    using temp = tempDirectory();
    const odd = join(temp.path, "a?b#c %41");
    openStore(odd, { limitBytes: null }).close();
    expect(inspectStore(odd)?.version).toBe(SCHEMA_VERSION);
  });
});

describe("trying a lock", () => {
  test("another process finds it held, and free once we let go; nothing is left behind", () => {
    using temp = tempDirectory();
    const probe = probeLock(temp.path);
    const ask = (): string => spawnSync(probe.file, [...probe.args], { encoding: "utf8" }).stdout;
    expect(ask()).toBe(LOCK_HELD);
    probe[Symbol.dispose]();
    expect(filesIn(temp.path)).toEqual([]);
    expect(ask()).toBe(LOCK_FREE);
  });

  test("a process that cannot ask says neither", () => {
    using temp = tempDirectory();
    using probe = probeLock(temp.path);
    const [run = "", code = "", , path = ""] = probe.args;
    const { stdout } = spawnSync(probe.file, [run, code, "/no/such/driver", path]);
    expect(stdout.toString()).toBe("");
  });
});
