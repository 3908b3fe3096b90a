import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../../src/store/store.ts";
import type { Disk } from "./disk.ts";

/** Memory that looks like a disk, where there is such a thing: a sync costs nothing there. */
const FAST = "/dev/shm";

/** Disks of the real store, each a directory of its own; they begin with a file that is migrated already. */
export function sqliteDisks(): () => Disk {
  let blank: Buffer | null = null;
  return () => {
    const path = directory();
    blank ??= migrated();
    writeFileSync(join(path, FILE), blank);
    const stores: Store[] = [];
    return {
      open: () => {
        const store = openStore(path, { limitBytes: null });
        stores.push(store);
        return store;
      },
      [Symbol.dispose]: () => {
        for (const store of stores) store.close();
        rmSync(path, { recursive: true, force: true });
      },
    };
  };
}

const FILE = "crush-run.db";

const directory = (): string =>
  mkdtempSync(join(existsSync(FAST) ? FAST : tmpdir(), "crush-disk-"));

function migrated(): Buffer {
  const path = directory();
  try {
    openStore(path, { limitBytes: null }).close();
    return readFileSync(join(path, FILE));
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
