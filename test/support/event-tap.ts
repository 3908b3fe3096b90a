import { deferred } from "../../src/shared/deferred.ts";
import type { FakeServer } from "./fake-server.ts";

/** An event as it stands on the wire. */
export interface WireNews {
  readonly type: string;
  readonly lifecycle: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- decoded, looked into by the test
  readonly payload: any;
}

/** A client that listens: it reads its event stream to the end and keeps everything. */
export interface EventTap extends Disposable {
  readonly seen: readonly WireNews[];
  /** Resolves with the first event that fits; at once when there is one. */
  until(fits: (news: WireNews) => boolean): Promise<WireNews>;
  /** The terminal event of a run. */
  terminal(runId: string): Promise<WireNews["payload"]>;
  /** What was said of the messages of a role, in order, by how each ended so far. */
  finishes(role: string): (string | undefined)[];
  /** The server has ended the stream. */
  readonly ended: Promise<void>;
  /** The connection drops. */
  drop(): void;
}

/** Listens as a client; whole messages come as they do to every client that does not ask for deltas. */
export async function tap(
  server: FakeServer,
  workspace: string,
  clientId = "me",
): Promise<EventTap> {
  const abort = new AbortController();
  const path = `${workspace}/events?client_id=${clientId}`;
  const { body } = await server.raw("GET", path, { signal: abort.signal });
  const seen: WireNews[] = [];
  let heard = deferred();
  const read = async (): Promise<void> => {
    for await (const chunk of body ?? []) {
      for (const line of String(chunk).split("\n")) {
        if (!line.startsWith("data: ")) continue;
        const { type, payload } = JSON.parse(line.slice(6));
        seen.push({ type, lifecycle: payload.type, payload: payload.payload });
      }
      heard.resolve();
      heard = deferred();
    }
  };
  const until: EventTap["until"] = async (fits) => {
    for (;;) {
      const found = seen.find(fits);
      if (found !== undefined) return found;
      await heard.promise;
    }
  };
  return {
    seen,
    until,
    terminal: async (runId) =>
      (await until(({ type, payload }) => type === "run_complete" && payload.run_id === runId))
        .payload,
    finishes: (role) => {
      const last = new Map<string, string | undefined>();
      for (const { type, payload } of seen) {
        if (type !== "message" || payload.role !== role) continue;
        const finish = payload.parts.find((part: { type: string }) => part.type === "finish");
        last.set(payload.id, finish?.data.reason);
      }
      return [...last.values()];
    },
    ended: read(),
    drop: () => abort.abort(),
    [Symbol.dispose]: () => abort.abort(),
  };
}
