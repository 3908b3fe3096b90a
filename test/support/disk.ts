import type { Store } from "../../src/store/store.ts";

/** What outlives the processes that store on it. Gone at the end of its scope, with every store that is still open. */
export interface Disk extends Disposable {
  /** One more process: an owner of its own, until the store is closed. */
  open(): Store;
}

/** A way to store; the dispatcher must not notice which. */
export interface StoreKind {
  readonly name: "memory" | "sqlite";
  readonly disk: () => Disk;
}
