import type * as fc from "fast-check";
import type { StoreKind } from "../support/disk.ts";

/** One race of the specification (section 6.3) as a property of every schedule. */
export interface RaceProperty {
  /** `P-1` */
  readonly id: string;
  /** What holds, as a sentence. */
  readonly title: string;
  /** For one way to store; a property without a store ignores it. */
  readonly property: (stores: StoreKind) => fc.IAsyncProperty<unknown>;
}
