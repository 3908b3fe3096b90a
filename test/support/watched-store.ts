import { failure, RunFailed } from "../../src/protocol/ending.ts";
import type { Store } from "../../src/store/store.ts";

/** One use of a store: `runs.insert`, `messages.finish`, `transaction`. */
export interface StoreCall {
  readonly name: string;
  readonly values: readonly unknown[];
  readonly writes: boolean;
}

/** The same store, and somebody who is told of each call before it is made, and may throw instead. */
export function watchedStore(store: Store, before: (call: StoreCall) => void): Store {
  const told = <T extends object>(port: string, methods: T): T => {
    const entries = Object.entries(methods).map(([method, call]) => [
      method,
      (...values: unknown[]): unknown => {
        before({ name: `${port}${method}`, values, writes: !READS.has(`${port}${method}`) });
        return (call as (...given: unknown[]) => unknown)(...values);
      },
    ]);
    return Object.fromEntries(entries) as T;
  };
  const { sessions, messages, runs, readFiles, ...rest } = store;
  const { transaction, dataVersion } = rest;
  return {
    ...rest,
    ...told("", { transaction, dataVersion }),
    sessions: told("sessions.", sessions),
    messages: told("messages.", messages),
    runs: told("runs.", runs),
    readFiles: told("readFiles.", readFiles),
  };
}

const READS: ReadonlySet<string> = new Set([
  "dataVersion",
  "sessions.get",
  "sessions.title",
  "sessions.summaryOf",
  "sessions.list",
  "sessions.cancelMark",
  "messages.list",
  "messages.listUpTo",
  "messages.lastModel",
  "runs.get",
  "runs.find",
  "runs.open",
  "runs.openSessions",
  "runs.outcome",
  "runs.record",
  "runs.recent",
  "readFiles.lastSeen",
]);

export const storageFailure = (): RunFailed =>
  new RunFailed(failure("storage", "the disk is full"));
