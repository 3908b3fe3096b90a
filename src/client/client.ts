import * as z from "zod/mini";
import { decodeErrorBody } from "../protocol/error-body.ts";
import { failure, RunFailed, type Reason } from "../protocol/ending.ts";
import type { WireEvent } from "../protocol/event-wire.ts";
import type { Answer, Transport } from "../protocol/http.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import { decodeRunRecord, type RunRecord } from "../protocol/run-record.ts";
import { decodeSessionRef, type SessionRef } from "../protocol/session.ts";
import { toSnake } from "../protocol/case.ts";
import type { Json } from "../shared/json.ts";
import { childScope } from "../shared/scope.ts";
import { readEvents } from "./read-events.ts";

export interface WorkspaceOptions {
  /** Absolute. */
  readonly path: string;
  readonly dataDir: string | null;
  readonly trustConfig: boolean;
}

export interface PromptBody {
  readonly sessionId: SessionId;
  readonly runId: RunId;
  readonly prompt: string;
  readonly options: RunOptions;
}

/** One workspace of a server, held by this client. Every call rejects with `RunFailed`, or with `signal.reason`. */
export interface WorkspaceClient {
  readonly configSources: readonly string[];
  readonly warnings: readonly string[];
  createSession(title: string, signal: AbortSignal): Promise<SessionRef>;
  getSession(id: string, signal: AbortSignal): Promise<SessionRef>;
  /** Top-level sessions, the last changed first. */
  listSessions(signal: AbortSignal): Promise<SessionRef[]>;
  /** Resolves once the server has subscribed us: nothing that is published later is missed. */
  events(signal: AbortSignal): Promise<AsyncIterable<WireEvent>>;
  /** `settled`: the run was known already and has ended. */
  prompt(body: PromptBody, signal: AbortSignal): Promise<{ readonly settled: boolean }>;
  cancelRun(runId: RunId, reason: Reason, signal: AbortSignal): Promise<void>;
  getRun(runId: RunId, signal: AbortSignal): Promise<RunRecord>;
  /** Lets go of the workspace; the last one closes it. */
  release(signal: AbortSignal): Promise<void>;
}

/** No call waits longer for its answer; what a run takes is not waited for in a call. */
const CALL_MS = 90_000;

const workspaceSchema = z.object({
  id: z.string(),
  config_sources: z._default(z.array(z.string()), []),
  warnings: z._default(z.array(z.string()), []),
});
const acceptedSchema = z.object({ state: z._default(z.string(), "reserved") });

/** `baseUrl` has no trailing slash: `http://crush.local`. */
export async function openWorkspace(
  transport: Transport,
  baseUrl: string,
  clientId: string,
  options: WorkspaceOptions,
  signal: AbortSignal,
): Promise<WorkspaceClient> {
  const ask = async (method: string, path: string, body: Json | null, parent: AbortSignal) =>
    await call(transport, `${baseUrl}/v1${path}`, method, body, parent);
  const created = await ask(
    "POST",
    "/workspaces",
    {
      id: "",
      path: options.path,
      client_id: clientId,
      ...(options.dataDir === null ? {} : { data_dir: options.dataDir }),
      ...(options.trustConfig ? { trust_config: true } : {}),
    },
    signal,
  );
  const workspace = z.parse(workspaceSchema, created);
  const base = `/workspaces/${workspace.id}`;
  const session = (id: string): string => `${base}/sessions/${encodeURIComponent(id)}`;
  const run = (id: RunId): string => `${base}/runs/${encodeURIComponent(id)}`;

  return {
    configSources: workspace.config_sources,
    warnings: workspace.warnings,
    createSession: async (title, parent) =>
      decodeSessionRef(await ask("POST", `${base}/sessions`, { title }, parent)),
    getSession: async (id, parent) => decodeSessionRef(await ask("GET", session(id), null, parent)),
    listSessions: async (parent) =>
      z
        .parse(z.array(z.unknown()), await ask("GET", `${base}/sessions`, null, parent))
        .map(decodeSessionRef),
    events: async (parent) => {
      const url = `${baseUrl}/v1${base}/events?client_id=${clientId}&delta=1`;
      const headers = { accept: "text/event-stream" };
      const answer = await transport(url, { method: "GET", headers, body: null, signal: parent });
      if (answer.status !== 200 || answer.body === null) throw await refused(answer);
      return readEvents(answer.body);
    },
    prompt: async ({ sessionId, runId, prompt, options: asked }, parent) => {
      const body = { session_id: sessionId, run_id: runId, prompt, options: toSnake(asked) };
      const accepted = await ask("POST", `${base}/agent`, body, parent);
      return { settled: z.parse(acceptedSchema, accepted ?? {}).state === "settled" };
    },
    cancelRun: async (runId, reason, parent) => {
      await ask("POST", `${run(runId)}/cancel`, { reason }, parent);
    },
    getRun: async (runId, parent) => decodeRunRecord(await ask("GET", run(runId), null, parent)),
    release: async (parent) => {
      await ask("DELETE", `/clients/${clientId}`, null, parent);
    },
  };
}

async function call(
  transport: Transport,
  url: string,
  method: string,
  body: Json | null,
  parent: AbortSignal,
): Promise<unknown> {
  using scope = childScope(parent);
  const late = failure(
    "provider_unavailable",
    `the server did not answer within ${CALL_MS / 1000} s`,
  );
  const timer = setTimeout(() => scope.abort(new RunFailed(late)), CALL_MS);
  try {
    const text = body === null ? null : JSON.stringify(body);
    const headers: Record<string, string> =
      text === null
        ? {}
        : { "content-type": "application/json", "content-length": `${Buffer.byteLength(text)}` };
    const answer = await transport(url, { method, headers, body: text, signal: scope.signal });
    if (answer.status < 200 || answer.status > 299) throw await refused(answer);
    const answered = await answer.text();
    return answered.trim() === "" ? null : JSON.parse(answered);
  } finally {
    clearTimeout(timer);
  }
}

async function refused(answer: Answer): Promise<RunFailed> {
  return new RunFailed(decodeErrorBody(answer.status, await answer.text()));
}
