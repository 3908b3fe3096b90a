import type { Config } from "../config/config.ts";
import { RunFailed } from "../protocol/ending.ts";
import { newWorkspaceId, type RunId, type WorkspaceId } from "../protocol/ids.ts";
import type { Message } from "../protocol/message.ts";
import type { Json } from "../shared/json.ts";
import type { Clock } from "../shared/clock.ts";
import { createMask, masked } from "../shared/masked.ts";
import { createDispatcher } from "../session/create-dispatcher.ts";
import type { Dispatcher } from "../session/dispatcher.ts";
import type { PrepareTurn } from "../session/prepare-turn.ts";
import type { Store } from "../store/store.ts";
import { memoryEventLog, type EventLog } from "./event-log.ts";
import { maskedDeltas } from "./masked-deltas.ts";
import {
  maskedEvent,
  maskedFailure,
  maskedMessage,
  maskedRecord,
  maskedStore,
} from "./masked-news.ts";
import { noAgent } from "./refused.ts";

/** One project directory: its configuration, its store, its runs and its events. */
export interface Workspace {
  readonly id: WorkspaceId;
  readonly config: Config;
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly log: EventLog;
  /** What is told of a message: secrets do not leave. The log holds none. */
  readonly shownMessage: (message: Message) => Message;
  /** False: it shows what was run in it, and runs nothing itself. */
  readonly hasAgent: boolean;
  /** In this order: no new prompts, runs settled, events told, store closed. Twice is harmless. */
  close(): Promise<void>;
}

export interface WorkspaceDeps {
  readonly config: Config;
  readonly store: Store;
  /** Null for a workspace without an agent. */
  readonly prepareTurn: PrepareTurn | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onInterrupted: (runId: RunId) => void;
}

/** What a slow reader may lag behind before it is told of a gap. */
const LOG_CHARS = 16 * 1024 * 1024;
const LOG_BOUNDS = {
  heaviest: LOG_CHARS / 4,
  keepChars: LOG_CHARS,
  keepTerminals: 1_000,
  keepTerminalChars: LOG_CHARS,
};

export function openWorkspace(deps: WorkspaceDeps): Workspace {
  const { config, clock, random, prepareTurn, onInterrupted } = deps;
  // Asked each time: the list grows as keys are expanded.
  const secrets = createMask(() => config.secrets);
  const mask = secrets.whole;
  const streamed = maskedDeltas(secrets);
  const store = maskedStore(deps.store, mask);
  const log = memoryEventLog(LOG_BOUNDS);
  const inner = createDispatcher({
    store,
    clock,
    random,
    prepareTurn: prepareTurn ?? refusing,
    publish: (event) => {
      for (const told of streamed(event)) log.append(maskedEvent(told, mask));
    },
    onInterrupted,
  });
  const dispatcher: Dispatcher = {
    ...inner,
    // One that the store would not take is told from memory.
    record: (runId) => {
      const record = inner.record(runId);
      return record && maskedRecord(record, mask);
    },
    recent: (limit) => inner.recent(limit).map((record) => maskedRecord(record, mask)),
    summarize: async (sessionId, by) => {
      try {
        return await inner.summarize(sessionId, by);
      } catch (error) {
        if (!(error instanceof RunFailed)) throw error;
        throw new RunFailed(maskedFailure(error.failure, mask), { cause: error });
      }
    },
  };
  recover(dispatcher);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    try {
      await dispatcher.shutdown();
    } finally {
      log.close();
      store.close();
    }
  };
  return {
    id: newWorkspaceId(),
    config,
    store,
    dispatcher,
    log,
    shownMessage: (message) => maskedMessage(message, mask),
    hasAgent: prepareTurn !== null,
    close: () => (closing ??= close()),
  };
}

const refusing: PrepareTurn = async () => {
  throw noAgent();
};

/** What dead processes left open is settled by whoever opens the directory next. */
function recover(dispatcher: Dispatcher): void {
  try {
    dispatcher.recover();
  } catch {
    // A store that is busy or full: the next look at the session settles it.
  }
}

/** As the wire shows it; keys, headers and tokens never leave (protocol.md S11). */
export function encodeWorkspace(workspace: Workspace, version: string): Json {
  const { config } = workspace;
  const shown = (text: string): string => masked(text, config.secrets);
  const providers: Record<string, Json> = {};
  for (const [id, { name, type, baseUrl }] of config.providers) {
    const address = baseUrl === null ? {} : { base_url: shown(withoutCredentials(baseUrl)) };
    providers[id] = { id, name: shown(name), type, ...address };
  }
  return {
    id: workspace.id,
    path: config.workingDirectory,
    data_dir: config.dataDirectory,
    version,
    config: {
      models: {},
      providers,
      options: { data_directory: config.dataDirectory, tui: {} },
    },
    config_sources: config.sources,
    warnings: config.warnings.map(shown),
  };
}

/** `https://user:password@host/…` without what stands before the host. */
const withoutCredentials = (address: string): string =>
  address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1");
