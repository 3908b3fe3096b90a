import * as z from "zod/mini";
import type { Transport } from "../protocol/http.ts";
import { call, understood, type Request } from "./call.ts";

/** What a server can beyond the reference's wire; of servers that name nothing, nothing. */
export type Capabilities = ReadonlySet<string>;

/**
 * Asks a server what it can, before it is used: one with `run_resource` keeps records of runs, any other is followed by its terminal
 * events. The embedded server is never asked. Rejects with `RunFailed`, or with `signal.reason`.
 */
export async function askCapabilities(
  transport: Transport,
  baseUrl: string,
  signal: AbortSignal,
): Promise<Capabilities> {
  const request: Request = {
    method: "GET",
    url: `${baseUrl}/v1/version`,
    body: null,
    whenLost: "provider_unavailable",
  };
  const text = await call(transport, request, signal);
  return understood(text, request, (json) => new Set(z.parse(version, json).capabilities));
}

const version = z.object({ capabilities: z._default(z.array(z.string()), []) });
