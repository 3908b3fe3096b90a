import * as z from "zod/mini";
import { encodeAttachment, type Attachment } from "../protocol/attachment.ts";
import { toSnake } from "../protocol/case.ts";
import type { Reason } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import type { Transport } from "../protocol/http.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import { decodeRunRecord, type RunRecord } from "../protocol/run-record.ts";
import { decodeSessionRef, type SessionRef } from "../protocol/session.ts";
import type { Json } from "../shared/json.ts";
import { childScope, type Scope } from "../shared/scope.ts";
import { call, open, understood, type Request } from "./call.ts";
import { readEvents, type Place } from "./read-events.ts";

export interface WorkspaceOptions {
  /** Absolute. */
  readonly path: string;
  readonly dataDir: string | null;
  readonly trustConfig: boolean;
  /** Without the configuration of user and project. */
  readonly isolated?: boolean;
  /** Absolute. */
  readonly configFile?: string | null;
}

export interface Submission {
  readonly sessionId: SessionId;
  /** Null: nobody waits for this prompt. */
  readonly runId: RunId | null;
  readonly prompt: string;
  readonly attachments?: readonly Attachment[];
  readonly options: RunOptions;
}

export interface PromptBody extends Submission {
  readonly runId: RunId;
}

/** What became of a prompt that was posted. */
export interface Taken {
  /** The run was known already: it is not executed again. */
  readonly attached: boolean;
  /** And it has ended. */
  readonly settled: boolean;
}

/**
 * One workspace of a server, held by this client. Every call rejects with `RunFailed` (`ServerRefused` when the server said no), or
 * with `signal.reason`.
 */
export interface WorkspaceClient {
  readonly configSources: readonly string[];
  readonly warnings: readonly string[];
  /**
   * A new session; with `forkOf` a copy of that one, under its title. For the same `runId` it is the same session each time (servers with
   * `session_fork`, `session_of_run`).
   */
  createSession(
    title: string,
    signal: AbortSignal,
    wishes?: { readonly forkOf?: SessionId | null; readonly runId?: RunId | null },
  ): Promise<SessionRef>;
  getSession(id: string, signal: AbortSignal): Promise<SessionRef>;
  /** Top-level sessions, the last changed first. */
  listSessions(signal: AbortSignal): Promise<SessionRef[]>;
  /**
   * Resolves once the server has subscribed us: nothing that is published later is missed. Text comes in `deltas`, or each change of a
   * message as the `whole` message. The stream begins behind `place`, and keeps it up to date.
   */
  events(
    signal: AbortSignal,
    text?: "deltas" | "whole",
    place?: Place,
  ): Promise<AsyncIterable<WireEvent>>;
  prompt(body: Submission, signal: AbortSignal): Promise<Taken>;
  cancelRun(runId: RunId, reason: Reason, signal: AbortSignal): Promise<void>;
  /** Whatever runs and waits in the session: for servers that know no runs. */
  cancelSession(sessionId: SessionId, signal: AbortSignal): Promise<void>;
  /** Whether the workspace has an agent that takes prompts. */
  isReady(signal: AbortSignal): Promise<boolean>;
  getRun(runId: RunId, signal: AbortSignal): Promise<RunRecord>;
  /** The last hundred, newest first. */
  listRuns(signal: AbortSignal): Promise<RunRecord[]>;
  /** Lets go of the workspace; the last one closes it. */
  release(signal: AbortSignal): Promise<void>;
}

const workspaceSchema = z.object({
  id: z.string(),
  config_sources: z._default(z.array(z.string()), []),
  warnings: z._default(z.array(z.string()), []),
});
const acceptedSchema = z.object({
  state: z._default(z.string(), "reserved"),
  attached: z._default(z.boolean(), false),
});

/** `baseUrl` has no trailing slash: `http://crush.local`. */
export async function openWorkspace(
  transport: Transport,
  baseUrl: string,
  clientId: string,
  options: WorkspaceOptions,
  signal: AbortSignal,
): Promise<WorkspaceClient> {
  const ask = async <T>(
    { path, ...request }: Omit<Request, "url"> & { readonly path: string },
    decode: (json: unknown) => T,
    parent: AbortSignal,
  ): Promise<T> => {
    const whole = { ...request, url: `${baseUrl}/v1${path}` };
    return understood(await call(transport, whole, parent), whole, decode);
  };
  const body = {
    id: "",
    path: options.path,
    client_id: clientId,
    ...(options.dataDir === null ? {} : { data_dir: options.dataDir }),
    ...(options.trustConfig ? { trust_config: true } : {}),
    ...(options.isolated === true ? { isolated: true } : {}),
    ...(options.configFile === null || options.configFile === undefined
      ? {}
      : { config_file: options.configFile }),
  };
  const workspace = await ask(
    { ...BEFORE, method: "POST", path: "/workspaces", body },
    (json) => z.parse(workspaceSchema, json),
    signal,
  );
  const base = `/workspaces/${workspace.id}`;
  const sessions = { ...BEFORE, path: `${base}/sessions` };
  const run = (id: RunId) => ({ ...DURING, path: `${base}/runs/${encodeURIComponent(id)}` });

  return {
    configSources: workspace.config_sources,
    warnings: workspace.warnings,
    createSession: async (title, parent, { forkOf = null, runId = null } = {}) => {
      const wished = {
        title,
        ...(forkOf === null ? {} : { fork_of: forkOf }),
        ...(runId === null ? {} : { run_id: runId }),
      };
      return await ask({ ...sessions, method: "POST", body: wished }, decodeSessionRef, parent);
    },
    getSession: async (id, parent) => {
      const path = `${sessions.path}/${encodeURIComponent(id)}`;
      return await ask({ ...BEFORE, method: "GET", path, body: null }, decodeSessionRef, parent);
    },
    listSessions: async (parent) =>
      await ask({ ...sessions, method: "GET", body: null }, decodeSessions, parent),
    events: async (parent, text = "deltas", place = { lastId: null }) => {
      const scope = childScope(parent);
      const wish = text === "deltas" ? "&delta=1" : "";
      const url = `${baseUrl}/v1${base}/events?client_id=${clientId}${wish}`;
      try {
        return heldBy(scope, readEvents(await open(transport, url, place.lastId, scope), place));
      } catch (error) {
        scope[Symbol.dispose]();
        throw error;
      }
    },
    prompt: async (submission, parent) => {
      const posted = encodeSubmission(submission, clientId);
      const path = `${base}/agent`;
      return await ask({ ...DURING, method: "POST", path, body: posted }, decodeAccepted, parent);
    },
    cancelRun: async (runId, reason, parent) => {
      const { path, whenLost } = run(runId);
      const request = {
        method: "POST",
        path: `${path}/cancel`,
        body: { reason, client_id: clientId },
        whenLost,
      } as const;
      await ask(request, ignored, parent);
    },
    cancelSession: async (sessionId, parent) => {
      const path = `${base}/agent/sessions/${encodeURIComponent(sessionId)}/cancel`;
      await ask({ ...DURING, method: "POST", path, body: null }, ignored, parent);
    },
    isReady: async (parent) => {
      const path = `${base}/agent`;
      return await ask({ ...BEFORE, method: "GET", path, body: null }, decodeReady, parent);
    },
    getRun: async (runId, parent) =>
      await ask({ ...run(runId), method: "GET", body: null }, decodeRunRecord, parent),
    listRuns: async (parent) =>
      await ask(
        { ...DURING, method: "GET", path: `${base}/runs`, body: null },
        (json) => z.parse(z.array(z.unknown()), json).map(decodeRunRecord),
        parent,
      ),
    release: async (parent) => {
      const path = `/clients/${clientId}`;
      await ask({ ...BEFORE, method: "DELETE", path, body: null }, ignored, parent);
    },
  };
}

/** What is empty is left out (behaviour.md API-8). */
const encodeSubmission = (
  { sessionId, runId, prompt, attachments = [], options }: Submission,
  clientId: string,
): Json => ({
  session_id: sessionId,
  ...(runId === null ? {} : { run_id: runId }),
  prompt,
  ...(attachments.length === 0 ? {} : { attachments: attachments.map(encodeAttachment) }),
  client_id: clientId,
  ...(Object.keys(options).length === 0 ? {} : { options: toSnake(options) }),
});

/** No prompt was sent yet. */
const BEFORE = { whenLost: "provider_unavailable" } as const;
const DURING = { whenLost: "server_lost" } as const;

const decodeSessions = (json: unknown): SessionRef[] =>
  z.parse(z.array(z.unknown()), json).map(decodeSessionRef);

const decodeReady = (json: unknown): boolean =>
  z.parse(z.object({ is_ready: z._default(z.boolean(), false) }), json).is_ready;

const ignored = (): void => {};

/** Accepted is accepted (API-1, API-2): servers other than ours say nothing more. */
function decodeAccepted(json: unknown): Taken {
  const parsed = z.safeParse(acceptedSchema, json);
  if (!parsed.success) return { attached: false, settled: false };
  return { attached: parsed.data.attached, settled: parsed.data.state === "settled" };
}

/** The scope ends with the iteration. */
async function* heldBy<T>(scope: Scope, items: AsyncIterable<T>): AsyncIterable<T> {
  using _held = scope;
  yield* items;
}
