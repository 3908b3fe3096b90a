import type { StoreKind } from "./disk.ts";
import { memoryDisk } from "./memory-store.ts";
import { sqliteDisks } from "./sqlite-disk.ts";

export const STORE_KINDS: readonly StoreKind[] = [
  { name: "memory", disk: memoryDisk },
  { name: "sqlite", disk: sqliteDisks() },
];
