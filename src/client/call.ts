import { failure, RunFailed } from "../protocol/ending.ts";
import type { Answer, Transport } from "../protocol/http.ts";
import type { Json } from "../shared/json.ts";
import { childScope } from "../shared/scope.ts";
import { ServerRefused } from "./server-refused.ts";

/**
 * What it means when the server cannot be reached: before a prompt was sent nothing has happened, and the command may be tried again;
 * from then on the run may well go on without us.
 */
export type WhenLost = "provider_unavailable" | "server_lost";

export interface Request {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly body: Json | null;
  readonly whenLost: WhenLost;
}

/** No call waits longer for its answer; what a run takes is not waited for in a call. */
const CALL_MS = 90_000;

/** The body of the answer, as text. Rejects with `RunFailed`, or with `signal.reason`. */
export async function call(
  transport: Transport,
  { method, url, body, whenLost }: Request,
  parent: AbortSignal,
): Promise<string> {
  using scope = childScope(parent);
  const text = body === null ? null : JSON.stringify(body);
  const headers: Record<string, string> =
    text === null
      ? {}
      : { "content-type": "application/json", "content-length": `${Buffer.byteLength(text)}` };
  return await bounded(scope, whenLost, async () => {
    const answer = await transport(url, { method, headers, body: text, signal: scope.signal });
    if (answer.status < 200 || answer.status > 299) throw await refused(answer);
    return await answer.text();
  });
}

/**
 * The same for something whose answer has no end: the bound is over when it begins. `scope` ends the answer; it goes on behind the
 * event with the id `after`, where the server can.
 */
export async function open(
  transport: Transport,
  url: string,
  after: string | null,
  scope: { readonly signal: AbortSignal; abort(reason: unknown): void },
): Promise<AsyncIterable<Uint8Array | string>> {
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (after !== null) headers["last-event-id"] = after;
  return await bounded(scope, "provider_unavailable", async () => {
    const answer = await transport(url, {
      method: "GET",
      headers,
      body: null,
      signal: scope.signal,
    });
    if (answer.status !== 200 || answer.body === null) throw await refused(answer);
    return answer.body;
  });
}

async function bounded<T>(
  scope: { readonly signal: AbortSignal; abort(reason: unknown): void },
  whenLost: WhenLost,
  work: () => Promise<T>,
): Promise<T> {
  const late = `the server did not answer within ${CALL_MS / 1000} s`;
  const timer = setTimeout(
    () => scope.abort(new RunFailed(failure(whenLost, late, { remedy: REMEDY[whenLost] }))),
    CALL_MS,
  );
  try {
    return await work();
  } catch (error) {
    scope.signal.throwIfAborted();
    if (error instanceof RunFailed) throw error;
    const message = `cannot reach the server: ${error instanceof Error ? error.message : String(error)}`;
    const what = failure(whenLost, message, { remedy: REMEDY[whenLost] });
    throw new RunFailed(what, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const REMEDY: Readonly<Record<WhenLost, string>> = {
  provider_unavailable: "check that the server runs, and try again",
  server_lost: "ask for the run with crush show before you try again",
};

async function refused(answer: Answer): Promise<ServerRefused> {
  return new ServerRefused(answer.status, await answer.text());
}

/** The answer as `decode` reads it (undefined: it was no JSON); one that cannot be read is a failure like no answer at all. */
export function understood<T>(
  text: string,
  { method, url, whenLost }: Request,
  decode: (json: unknown) => T,
): T {
  try {
    return decode(parsed(text));
  } catch (error) {
    const message = `the server's answer to ${method} ${new URL(url).pathname} is not understood`;
    const reason = whenLost === "server_lost" ? "server_lost" : "internal";
    const remedy = "check that client and server are of the same version";
    throw new RunFailed(failure(reason, message, { remedy }), { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // whether that is fine, the caller knows
  }
}
