import { Hono, type Context } from "hono";
import { failure, RunFailed } from "../protocol/ending.ts";
import { failureOf } from "../protocol/failure-of.ts";
import type { Answer, Ask, Transport } from "../protocol/http.ts";
import { orAborted } from "../shared/or-aborted.ts";
import type { ServerContext } from "./context.ts";
import { Refused, tooLarge } from "./refused.ts";
import { empty, json, refusal, type Reply } from "./reply.ts";
import { agentRoutes } from "./routes-agent.ts";
import { runRoutes } from "./routes-runs.ts";
import { sessionRoutes } from "./routes-sessions.ts";
import { workspaceRoutes } from "./routes-workspaces.ts";

/** A route: the request in, a reply out. Throws `RunFailed` for what it refuses. */
export type Route = (c: Context) => Reply | Promise<Reply>;
export type AddRoute = (method: "GET" | "POST" | "DELETE", path: string, route: Route) => void;

/** Extensions that a client may use when it finds them named (`GET /v1/version`). */
const CAPABILITIES = [
  "run_options",
  "run_resource",
  "delta_events",
  "run_id_events",
  "session_fork",
  "session_of_run",
];

/** The server as a function from request to answer; no socket anywhere. */
export function createApp(context: ServerContext): (url: string, ask: Ask) => Promise<Answer> {
  const app = new Hono();
  const add: AddRoute = (method, path, route) => {
    // hono wants Node's `Response`, but only hands on what it gets.
    app.on(method, `/v1${path}`, async (c) => (await route(c)) as unknown as Response);
  };
  add("GET", "/health", () => empty());
  add("GET", "/version", () =>
    json({
      version: context.version,
      commit: "unknown",
      build_id: context.version,
      go_version: "",
      platform: `${process.platform}/${process.arch}`,
      capabilities: CAPABILITIES,
    }),
  );
  workspaceRoutes(add, context);
  sessionRoutes(add, context);
  agentRoutes(add, context);
  runRoutes(add, context);
  app.notFound(
    () => refusal(failure("usage", "there is no such route"), 404) as unknown as Response,
  );
  app.onError((error) => refusalOf(error) as unknown as Response);
  return async (url, ask) => {
    if (Buffer.byteLength(ask.body ?? "") > context.bodyLimitBytes)
      return refusalOf(tooLarge(context.bodyLimitBytes));
    return await app.fetch(lightRequest(url, ask));
  };
}

/** What is no refusal is a bug of ours, a stray cancellation too (behaviour.md DSP-14). */
function refusalOf(error: unknown): Reply {
  if (error instanceof Refused) return refusal(error.failure, error.status);
  return refusal(failureOf(error), error instanceof RunFailed ? undefined : 500);
}

/** The transport of an embedded server: the same requests, without a socket. */
export function inMemoryTransport(app: (url: string, ask: Ask) => Promise<Answer>): Transport {
  return async (url, ask) => {
    ask.signal.throwIfAborted();
    return await orAborted(app(url, ask), ask.signal);
  };
}

/** What hono reads of a request; see `Reply` for why it is not Node's own. */
function lightRequest(url: string, { method, headers, body, signal }: Ask): Request {
  const lowered = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    url,
    method,
    signal,
    headers: { get: (name: string) => lowered[name.toLowerCase()] ?? null },
    text: async () => body ?? "",
  } as unknown as Request;
}
