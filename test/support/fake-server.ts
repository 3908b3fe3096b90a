import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import type { Answer, Transport } from "../../src/protocol/http.ts";
import { limitsOf } from "../../src/protocol/run-options.ts";
import { CLAIM_TIMES } from "../../src/server/claims.ts";
import { embeddedServer, type EmbeddedServer } from "../../src/server/server.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { fakeModel, says, type ModelStep } from "./fake-model.ts";
import type { HandAlarms } from "./hand-alarms.ts";
import { turnSetup } from "./turn-setup.ts";

/** A configuration of nothing, for a directory. */
export const emptyConfig = (directory: string, more: Partial<Config> = {}): Config => ({
  workingDirectory: directory,
  dataDirectory: join(directory, ".crush"),
  sources: [],
  providers: new Map(),
  unusable: [],
  completions: new Map(),
  choices: { large: null, small: null },
  large: null,
  small: null,
  contextFiles: [],
  autoSummarize: true,
  disabledTools: new Set(),
  rules: { allow: [], narrow: [], deny: [] },
  env: {},
  secrets: [],
  secretEnvNames: [],
  warnings: [],
  ...more,
});

export interface ServerWishes {
  /** What the model named by the prompt's options does; without a name it says "ok". */
  readonly models?: Readonly<Record<string, readonly ModelStep[]>>;
  /** What the model does for a run, where no option names one. */
  readonly stepOf?: (runId: string) => ModelStep | null;
  readonly config?: (directory: string) => Config | Promise<Config>;
  readonly storeLimitBytes?: number;
  readonly bodyLimitBytes?: number;
  /** Stands before the readiness of each prompt. Null: the workspace has no agent. */
  readonly ready?: ((runId: string | null, signal: AbortSignal) => Promise<void>) | null;
  /** With it, clients are lost after a time as on a server of its own; without it never. */
  readonly alarms?: HandAlarms;
  readonly onLastClosed?: () => void;
}

export interface Answered {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- a decoded answer, looked into by the test
  readonly body: any;
  readonly type: string | null;
}

/** An embedded server with a directory of its own, both gone at the end of the scope. */
export interface FakeServer extends AsyncDisposable {
  readonly directory: string;
  readonly transport: Transport;
  readonly server: EmbeddedServer;
  /** A request by path under `/v1`; `body` is sent as JSON, a string as it is. */
  ask(method: string, path: string, body?: unknown): Promise<Answered>;
  raw(method: string, path: string, more?: Partial<RawWishes>): Promise<Answer>;
  /** The workspace of the directory, held by a client (`me`); its path under `/v1`. */
  workspace(clientId?: string): Promise<string>;
  /** A new session of a workspace; its id. */
  session(workspace: string): Promise<string>;
  /** Waits until the run has a record with an outcome; returns it as the wire has it. */
  settled(workspace: string, runId: string): Promise<Answered["body"]>;
}

interface RawWishes {
  readonly body: string | null;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}

export function fakeServer(wishes: ServerWishes = {}): FakeServer {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "crush-server-")));
  const server = embeddedServer({
    version: "1.2.3",
    clock: systemClock,
    random: () => 0.5,
    loadConfig: async ({ path }) => await (wishes.config ?? emptyConfig)(path),
    prepareTurn: () => {
      const { ready } = wishes;
      if (ready === null) return null;
      return async ({ runId, options }, signal) => {
        await ready?.(runId, signal);
        const own = wishes.stepOf?.(runId ?? "") ?? says("ok");
        const steps = wishes.models?.[options.model ?? ""] ?? [own];
        const limits = limitsOf({ ...options, retryMaxWaitMs: 2 });
        return turnSetup(fakeModel(...steps), { limits });
      };
    },
    onInterrupted: () => {},
    storeLimitBytes: wishes.storeLimitBytes ?? null,
    ...(wishes.alarms && { claimTimes: CLAIM_TIMES, setAlarm: wishes.alarms.set }),
    ...(wishes.onLastClosed && { onLastClosed: wishes.onLastClosed }),
    ...(wishes.bodyLimitBytes && { bodyLimitBytes: wishes.bodyLimitBytes }),
  });
  const never = new AbortController().signal;
  const raw: FakeServer["raw"] = async (method, path, more = {}) =>
    await server.transport(`http://crush.test/v1${path}`, {
      method,
      headers: more.headers ?? {},
      body: more.body ?? null,
      signal: more.signal ?? never,
    });
  const ask: FakeServer["ask"] = async (method, path, body) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await raw(method, path, { body: body === undefined ? null : text });
    const answered = await answer.text();
    return {
      status: answer.status,
      body: answered === "" ? null : (JSON.parse(answered) as unknown),
      type: answer.headers.get("content-type"),
    };
  };
  return {
    directory,
    transport: server.transport,
    server,
    ask,
    raw,
    workspace: async (clientId = "me") => {
      const sent = { path: directory, client_id: clientId };
      const { body } = await ask("POST", "/workspaces", sent);
      return `/workspaces/${(body as { id: string }).id}`;
    },
    session: async (workspace) => {
      const { body } = await ask("POST", `${workspace}/sessions`, { title: "t" });
      return (body as { id: string }).id;
    },
    settled: async (workspace, runId) => {
      for (;;) {
        const { body } = await ask("GET", `${workspace}/runs/${runId}`);
        const record = body as { outcome: unknown };
        if (record.outcome !== null) return record;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
