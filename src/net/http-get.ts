import type { IncomingMessage } from "node:http";
import type { Outgoing } from "./outgoing.ts";

/**
 * One GET. Resolves with the headers of the answer, whatever its status; until the body's end, an abort closes the
 * connection and breaks the body off. Rejects as `Outgoing.send` does.
 */
export async function httpGet(
  outgoing: Outgoing,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const asked = { method: "GET", url, headers, body: null, firstByteMs: null } as const;
  const { message } = await outgoing.send(asked, signal);
  const abort = (): void => void message.destroy(signal.reason as Error);
  message.once("close", () => signal.removeEventListener("abort", abort));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return message;
}
