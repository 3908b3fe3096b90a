import { outgoing } from "../net/outgoing.ts";
import { TransportFailed } from "../net/transport-failed.ts";
import { HttpAnswer } from "./http-answer.ts";
import type { HttpBounds } from "./http-bounds.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Sends POST requests over node:http(s): Node's fetch costs 40 to 90 ms and 30 MiB per run. */
export interface HttpClient {
  /**
   * Resolves with the headers of the answer, whatever its status. Rejects with `TransportFailed`, or with
   * `signal.reason` unchanged; until the answer's end, an abort closes the connection.
   */
  post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    signal: AbortSignal,
  ): Promise<HttpAnswer>;
}

/** Connections are kept for the next step of the same run; idle ones do not keep the process alive. */
export function httpClient(env: Env, { connectMs, firstByteMs }: HttpBounds): HttpClient {
  const out = outgoing(env, { connectMs, keepAlive: true });
  return {
    async post(address, headers, body, signal) {
      signal.throwIfAborted();
      const asked = {
        method: "POST",
        url: parseUrl(address),
        headers: { ...headers, "accept-encoding": "identity" },
        body,
        firstByteMs,
      } as const;
      const { message, where } = await out.send(asked, signal);
      return await HttpAnswer.open(message, where, signal);
    },
  };
}

function parseUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new TransportFailed(`${address} is not an http or https URL`, {
    retryable: false,
    remedy: "Correct base_url of the provider",
  });
}
