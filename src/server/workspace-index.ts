import type { Config } from "../config/config.ts";
import type { RunId } from "../protocol/ids.ts";
import type { PrepareTurn } from "../session/prepare-turn.ts";
import type { SetAlarm } from "../shared/alarm.ts";
import type { Clock } from "../shared/clock.ts";
import { openStore } from "../store/store.ts";
import { claimsOf, type Claims, type ClaimTimes, type HowLeft } from "./claims.ts";
import { retired, shuttingDown } from "./refused.ts";
import { retireesOf } from "./retirees.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

export interface WorkspaceRequest {
  /** Absolute. */
  readonly path: string;
  readonly dataDir: string | null;
  readonly trustConfig: boolean;
  readonly isolated?: boolean;
  /** Absolute. */
  readonly configFile?: string | null;
}

/** What workspaces are made of, and how long they are kept. */
export interface IndexOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly loadConfig: (request: WorkspaceRequest, signal: AbortSignal) => Promise<Config>;
  /** Readiness of a prompt under a workspace's configuration; it wires model, tools and system prompt. Null: it runs nothing. */
  readonly prepareTurn: (config: Config) => PrepareTurn | null;
  /** A process died in this run: end what it left behind. Must not throw. */
  readonly onInterrupted: (runId: RunId, dataDirectory: string) => void;
  /** Bound of the store's file; null for none. */
  readonly storeLimitBytes: number | null;
  /** Where a workspace keeps what lasts; a file in its data directory unless told. */
  readonly openStore?: typeof openStore;
  /** Null: the clients live in this process, and are never lost sight of. */
  readonly claimTimes: ClaimTimes | null;
  readonly setAlarm: SetAlarm;
  /** The last workspace is closed, and nobody is opening another. */
  readonly onLastClosed: () => void;
}

/** The open workspaces, each for as long as a client holds it or its runs go on. */
export interface WorkspaceIndex {
  all(): readonly Workspace[];
  find(id: string): Workspace | null;
  /** The workspace of the directory, held by the client from now on. Rejects with `RunFailed`. */
  open(request: WorkspaceRequest, clientId: string | null, signal: AbortSignal): Promise<Workspace>;
  /** An event stream of the client begins; it ends when what is returned is called. */
  attach(workspace: Workspace, clientId: string | null): () => void;
  /** The client lets go of one workspace. The last one ends its runs and closes it, which is waited for. */
  release(id: string, clientId: string): Promise<void>;
  /** The client lets go of all, and never comes back. */
  retire(clientId: string): Promise<void>;
  /** No workspace is opened any more; those that are open are closed. */
  close(): Promise<void>;
}

interface Entry {
  readonly workspace: Workspace;
  readonly claims: Claims;
}

export function workspaceIndex(options: IndexOptions): WorkspaceIndex {
  const entries = new Map<string, Entry>();
  const retirees = retireesOf();
  const teardowns = new Map<string, Promise<void>>();
  let anonymous = 0;
  let opening = 0;
  let wasUsed = false;
  let closed = false;

  const nameless = (): string => `anonymous ${(anonymous += 1)}`;

  const tearDown = async ({ workspace, claims }: Entry): Promise<void> => {
    if (!entries.delete(workspace.id)) return;
    claims.clear();
    const closing = workspace.close();
    teardowns.set(workspace.id, closing);
    try {
      await closing;
    } finally {
      teardowns.delete(workspace.id);
      tellWhenLast();
    }
  };

  const tellWhenLast = (): void => {
    if (closed || !wasUsed || entries.size > 0 || teardowns.size > 0 || opening > 0) return;
    wasUsed = false;
    options.onLastClosed();
  };

  /** Whoever lets go ends the runs. Of a client that was merely lost, the runs go on, and hold the workspace to their end. */
  const leave = async (entry: Entry, how: HowLeft): Promise<void> => {
    if (how === "expired" && isAtWork(entry)) await runsEnded(entry);
    if (entry.claims.isEmpty()) await tearDown(entry);
  };

  const add = (config: Config): Entry => {
    const { clock, random, onInterrupted, setAlarm } = options;
    const open = options.openStore ?? openStore;
    const workspace = openWorkspace({
      config,
      store: open(config.dataDirectory, { limitBytes: options.storeLimitBytes }),
      prepareTurn: options.prepareTurn(config),
      clock,
      random,
      onInterrupted: (runId) => onInterrupted(runId, config.dataDirectory),
    });
    const leaving = (how: HowLeft): void => {
      leave(entry, how).catch(() => {}); // a store that cannot be closed: whoever waits for the teardown hears of it
    };
    const claims = claimsOf({ times: options.claimTimes, setAlarm, onLast: leaving });
    const entry: Entry = { workspace, claims };
    entries.set(workspace.id, entry);
    wasUsed = true;
    return entry;
  };

  const refuse = (clientId: string | null): void => {
    if (closed) throw shuttingDown();
    if (clientId !== null && retirees.has(clientId)) throw retired();
  };

  return {
    all: () => [...entries.values()].map(({ workspace }) => workspace),
    find: (id) => entries.get(id)?.workspace ?? null,
    open: async (request, clientId, signal) => {
      refuse(clientId);
      opening += 1;
      try {
        const config = await options.loadConfig(request, signal);
        refuse(clientId); // it may have left, and we as well
        const known = [...entries.values()].find(
          ({ workspace }) => workspace.config.workingDirectory === config.workingDirectory,
        );
        const { workspace, claims } = known ?? add(config);
        claims.hold(clientId ?? nameless());
        return workspace;
      } finally {
        opening -= 1;
        tellWhenLast();
      }
    },
    attach: ({ id }, clientId) =>
      entries.get(id)?.claims.attach(clientId ?? nameless()) ?? (() => {}),
    release: async (id, clientId) => {
      entries.get(id)?.claims.release(clientId);
      await teardowns.get(id);
    },
    retire: async (clientId) => {
      retirees.add(clientId);
      const open = [...entries];
      for (const [, { claims }] of open) claims.drop(clientId);
      await Promise.all(open.map(async ([id]) => await teardowns.get(id)));
    },
    close: async () => {
      closed = true;
      const begun = [...teardowns.values()];
      const left = [...entries.values()].map(async (entry) => await tearDown(entry));
      await Promise.allSettled([...begun, ...left]);
    },
  };
}

const isAtWork = ({ workspace, claims }: Entry): boolean =>
  claims.isEmpty() && workspace.dispatcher.inFlight() > 0;

/** Resolves when nothing runs in it any more, or a client holds it again. */
async function runsEnded(entry: Entry): Promise<void> {
  while (isAtWork(entry)) await entry.workspace.dispatcher.idle();
}
